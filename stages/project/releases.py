"""A finished part: model.safetensors, config.json, card.md, metrics.json, curves, pictures; published at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stages.contract import Spec, Trained, UserError
from stages.project.files import atomic_folder, write_json
from stages.project.hashing import of_file

WEIGHTS, CONFIG = "model.safetensors", "config.json"


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
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in release.tensors.items()}
    save_file(tensors, folder / WEIGHTS)
    write_json(folder / CONFIG, {**release.config, "sha256": of_file(folder / WEIGHTS)}, indent=2)
    write_json(folder / "metrics.json", release.metrics, indent=2)
    (folder / "card.md").write_text(release.card)
    release.write_curves(folder / "curves")
    for picture in release.pictures:
        shutil.copy(picture, folder / "pictures" / picture.name)


def read_config(folder: Path) -> dict[str, Any]:
    """A release's config.json; UserError where there is no (whole) release."""
    path = folder / CONFIG
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no trained part; {_mend(folder)}") from error
    except ValueError as error:
        raise UserError(f"{path}: damaged; {_mend(folder)}") from error


def read_trained(folder: Path) -> Trained:
    """The released part in `folder` (data/models/<method>/<part>), on the CPU, its checksum verified."""
    config, path = read_config(folder), folder / WEIGHTS
    if not path.is_file():
        raise UserError(f"{path}: no weights; {_mend(folder)}")
    if of_file(path) != config.get("sha256"):
        raise UserError(f"{path}: damaged: not the sha256 in {CONFIG}; {_mend(folder)}")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path}: not readable: {error}; {_mend(folder)}") from error
    return Trained(config["params"], Spec(**config["spec"]), tensors)


def _mend(folder: Path) -> str:
    method, part = folder.parent.name, folder.name
    return f"make it by `dvc repro {method}@{part}` or `plurifill train {method} {part}`"
