"""A finished part: model.safetensors, config.json, card.md, metrics.json, curves, pictures; published at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from stages.contract import Spec, Trained, UserError
from stages.project.files import atomic_folder, write_json
from stages.project.hashing import of_file, of_folder

BLOCKS = ("params", "spec")  # of config.json, which whoever reads a release needs
WEIGHTS, CONFIG, METRICS = "model.safetensors", "config.json", "metrics.json"


@dataclass(frozen=True)
class Release:
    """What is published; `config` (plain values) needs `params` and `spec`, the weights' sha256 is put beside them."""

    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]  # numbers only, so that dvc can show and compare them
    card: str
    write_curves: Callable[[Path], object]  # given the path without an ending
    pictures: Sequence[Path]


def publish(release: Release, folder: Path) -> None:
    """The release at `folder`, in place of what was there; never a half of it."""
    with atomic_folder(folder) as part:
        _fill(part, release)


def _fill(folder: Path, release: Release) -> None:
    (folder / "pictures").mkdir()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in release.tensors.items()}
    (folder / WEIGHTS).write_bytes(save(tensors))  # safetensors' own writer hides why a disk takes no file
    write_json(folder / METRICS, release.metrics, indent=2)
    (folder / "card.md").write_text(release.card)
    release.write_curves(folder / "curves")
    for picture in release.pictures:
        shutil.copy(picture, folder / "pictures" / picture.name)
    beside = of_folder(folder)
    config = {**release.config, "sha256": beside.pop(WEIGHTS), "files": beside}
    write_json(folder / CONFIG, config, indent=2)


def check(folder: Path) -> None:
    """UserError where a file of the release is missing or not the one that was published; it names the file.

    What lies beside the weights is known by config.json's `files`, which earlier versions did not write.
    """
    read_trained(folder)
    for name, sha256 in read_config(folder).get("files", {}).items():
        path = folder / name
        if not path.is_file() or of_file(path) != sha256:
            raise UserError(f"{path}: {'damaged' if path.is_file() else 'gone'}; {_mend(folder)}")


def read_metrics(folder: Path) -> dict[str, Any]:
    """A release's figures; UserError where they are not whole."""
    return _read_json(folder / METRICS, "no figures")


def read_config(folder: Path) -> dict[str, Any]:
    """A release's config.json; UserError where there is no (whole) release."""
    config = _read_json(folder / CONFIG, "no trained part")
    if not all(isinstance(config.get(name), dict) for name in BLOCKS):
        raise UserError(f"{folder / CONFIG}: damaged: it lacks a block ({', '.join(BLOCKS)}); {_mend(folder)}")
    return config


def read_trained(folder: Path) -> Trained:
    """The released part in `folder` (data/models/<method>/<part>), on the CPU, its checksum verified."""
    config, path = read_config(folder), folder / WEIGHTS
    if not path.is_file():
        raise UserError(f"{path}: no weights; {_mend(folder)}")
    if of_file(path) != config.get("sha256"):
        raise UserError(f"{path}: damaged: not the sha256 in {CONFIG}; {_mend(folder)}")
    return Trained(config["params"], _spec(config["spec"], folder), _tensors(path))


def _spec(block: Mapping[str, Any], folder: Path) -> Spec:
    numbers = all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in block.values())
    if not numbers or not block.get("size") or block.keys() - {"size", "classes"}:
        raise UserError(f"{folder / CONFIG}: spec = {dict(block)}: it tells size and classes; {_mend(folder)}")
    return Spec(**block)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises whatever it meets in a file that it has not written
        told = " ".join(str(error).split())
        raise UserError(f"{path}: not readable: {told}; {_mend(path.parent)}") from error


def _read_json(path: Path, absent: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: {absent}; {_mend(path.parent)}") from error
    except ValueError as error:
        raise UserError(f"{path}: damaged; {_mend(path.parent)}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: damaged; {_mend(path.parent)}")
    return values


def _mend(folder: Path) -> str:
    method, part = folder.parent.name, folder.name
    return f"make it by `dvc repro {method}@{part}` or `plurifill train {method} {part}`"
