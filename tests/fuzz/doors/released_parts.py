"""A released part: weights and config.json, damaged, forged under a right checksum, or a pickle in their place."""

import hashlib
import io
import json
import os
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

import stages.methods
from stages.images.files import write_png
from stages.project import paths
from stages.project.releases import Release, publish
from tests.fuzz.damage import altered, damaged
from tests.fuzz.doors.images import OUTPUT, hole, picture
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 700, 20
WRONG = (
    "Weights whose checksum is not config.json's, an LFS pointer, a pickle (its code would leave a canary), tensors "
    "of other names or shapes; a hole that is not in the colour that the released weights tell."
)
COLOUR = (0.5, -0.25, 1.0)
CANARY = Path("canary")
PART = '''\
"""One colour for every hole."""
import torch
from torch import nn

from stages import contract

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    lr: float


class Colour(nn.Module):
    def __init__(self):
        super().__init__()
        self.colour_C11 = nn.Parameter(torch.zeros(3, 1, 1))


def restore(trained):
    Params.model_validate(trained.params)
    model = Colour()
    model.load_state_dict(dict(trained.tensors))
    return model
'''
INPAINT = '''\
"""The colour of its part."""
from stages import contract
from stages.contract import Completions
from stages.methods.fuzzed import colour

PARENTS = ("colour",)
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    pass


class Painter:
    def __init__(self, net):
        self.colour_C11 = net.colour_C11.detach()

    def sample(self, request):
        return Completions(self.colour_C11.expand(*request.seeds_BK.shape, *request.image_BCHW.shape[1:]))


def build(params, parents, device):
    return Painter(colour.restore(parents["colour"]))
'''


class Code:
    """A pickle that writes the canary."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(CANARY),)


def prepare() -> None:
    folder = Path("methods/fuzzed").absolute()
    folder.mkdir(parents=True)
    for name, text in {"__init__": "", "colour": PART, "inpaint": INPAINT}.items():
        (folder / f"{name}.py").write_text(text)
    stages.methods.__path__[:] = [path for path in stages.methods.__path__ if "fuzz" not in path]
    stages.methods.__path__.append(str(folder.parent))
    for name in [name for name in sys.modules if name.startswith("stages.methods.fuzzed")]:
        sys.modules.pop(name)
    write_png(Path("i.png"), picture())
    write_png(Path("m.png"), hole().astype(np.uint8) * 255)
    Path("params.yaml").write_text("methods: {fuzzed: {inpaint: {}}}\n")
    tensors = {"colour_C11": torch.tensor(COLOUR).view(3, 1, 1)}
    config = {"method": "fuzzed", "part": "colour", "params": {"lr": 0.1}, "spec": {"size": 16, "classes": 0}}
    publish(Release(tensors, config, {}, "", lambda stem: None, ()), Path("whole"))


@st.composite
def hostile(draw: st.DrawFn) -> tuple[bytes, bytes, bool]:
    """The weights, config.json, and whether their checksum was made right again."""
    weights, config = (Path("whole", name).read_bytes() for name in ("model.safetensors", "config.json"))
    kind = draw(st.sampled_from(["damaged", "other", "config", "config's text"]))
    if kind == "config":
        return weights, json.dumps(draw(altered(json.loads(config)))[0]).encode(), False
    if kind == "config's text":
        return weights, draw(damaged([config])), False
    other = draw(damaged([weights]) if kind == "damaged" else st.sampled_from(_others()))
    if draw(st.booleans()):
        return other, config, False
    told = {**json.loads(config), "sha256": hashlib.sha256(other).hexdigest()}
    return other, json.dumps(told).encode(), True


def _others() -> list[bytes]:
    """Files that lie in the place of weights: pointers, pickles, weights of another network."""
    pickled = io.BytesIO()
    torch.save({"colour_C11": Code()}, pickled)
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 96\n"
    networks: list[dict[str, torch.Tensor]] = [
        {},
        {"weight": torch.zeros(3)},
        {"colour_C11": torch.zeros(4, 1, 1)},
        {"colour_C11": torch.zeros(3, 1, 1), "more": torch.zeros(1)},
        {"colour_C11": torch.full((3, 1, 1), torch.nan)},
    ]
    return [b"", pointer, pickle.dumps(Code()), pickled.getvalue(), *map(save, networks)]


def knock(given: tuple[bytes, bytes, bool]) -> Verdict:
    weights, config, forged = given
    place = paths.model("fuzzed", "colour")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree("whole", place)
    (place / "model.safetensors").write_bytes(weights)
    (place / "config.json").write_bytes(config)
    OUTPUT.unlink(missing_ok=True)
    files = ["--image", "i.png", "--mask", "m.png", "--output", str(OUTPUT)]
    verdict = of_verb("inpaint", ["--method", "fuzzed", "--device", "cpu", *files], [str(place.parent)])
    refuse_halves()
    assert not CANARY.exists(), "a pickle's code was run"
    assert verdict.accepted == OUTPUT.exists()
    if verdict.accepted and not forged:
        assert weights == Path("whole/model.safetensors").read_bytes(), "damaged weights are accepted"
        with Image.open(OUTPUT) as result:
            apart = np.abs(np.array(result)[hole()] - (np.array(COLOUR) + 1) * 127.5)
        assert apart.max() <= 1, "the hole is not in the part's colour"
    return verdict
