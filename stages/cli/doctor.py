"""`plurifill doctor`: what this machine has: versions, devices, the datasets' roots, pretrained weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from stages.metrics.core import lookup
from stages.metrics.core.classifier_maps import NETWORKS
from stages.metrics.core.lpips_network import BACKBONES
from stages.project import devices, hashing, paths, provenance, weights
from stages.project.params import read

OPTIONAL = {"mlflow": "runs are not tracked", "dvc": "no dvc repro", "prefect": "no flows", "pyarrow": "tables are csv"}


def main(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    params: Annotated[Path, typer.Option(help="the params file whose datasets are looked for")] = Path("params.yaml"),
) -> None:
    """Say what this machine has. Nothing is downloaded, nothing is changed."""
    found = examine(params)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for title, facts in found.items():
        print(title)
        for name, value in facts.items():
            print(f"  {name:<24} {_line(value)}")


def examine(params: Path) -> dict[str, dict[str, Any]]:
    """All findings by topic, as plain values."""
    return {
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "optional": {name: _optional(name, without) for name, without in OPTIONAL.items()},
        "devices": dict(_device(device) for device in _devices()),
        "places": {"data": str(paths.root().resolve()), "reports": str(paths.reports().resolve())},
        "datasets": {name: _dataset(name, block) for name, block in _datasets(params).items()},
        "weights": {name: _weight(name, ", ".join(users)) for name, users in needed_by().items()},
    }


def needed_by() -> dict[str, list[str]]:
    """What is missing without each of the pretrained networks: the metrics that need it, the losses on it."""
    users: dict[str, list[str]] = {network: [] for network in weights.TABLE}
    for metric in lookup.every():
        for name in metric.NAMES:
            if network := metric.needs(name):
                users[network].append(name)
    for net, network in BACKBONES.items():
        users[network].append(f"and perceptual losses with lpips_net: {net}")
    for net, network in NETWORKS.items():
        users[network].append(f"and losses on the maps of {net}")
    return users


def _optional(name: str, without: str) -> str:
    return provenance.versions((name,))[name] if find_spec(name) else f"absent: {without}"


def _devices() -> list[torch.device]:
    return [torch.device("cpu"), *(torch.device("cuda", i) for i in range(torch.cuda.device_count()))]


def _device(device: torch.device) -> tuple[str, dict[str, Any]]:
    return str(device), {"hardware": devices.hardware(device), "bf16": devices.has_bf16(device)}


def _datasets(params: Path) -> Mapping[str, Any]:
    return read(params).get("datasets", {}) if params.is_file() else {}


def _dataset(name: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the source is there (`photographs` brings its own) and whether the shards are made."""
    layout = block.get("layout", "not given")
    told: dict[str, Any] = {"layout": layout, "made": (paths.shards(name) / "dataset.json").is_file()}
    if not block.get("root"):
        return {**told, "root": "in the installed packages" if layout == "photographs" else "not given"}
    root = Path(os.path.expandvars(str(block["root"]))).expanduser()
    return {**told, "root": str(root), "there": root.is_dir()}


def _weight(name: str, users: str) -> dict[str, Any]:
    """The verified file, or where it was looked for and what is missing without it."""
    files = [folder / file for folder in weights.folders() for file in weights.TABLE[name].sha256]
    for path in filter(Path.is_file, files):
        digest = hashing.of_file(path)
        if digest.startswith(weights.TABLE[name].sha256[path.name]):
            return {"file": str(path), "sha256": digest}
    wrong = [str(path) for path in files if path.is_file()]
    return {
        "file": None,
        **({"wrong sha256": wrong} if wrong else {}),
        "accepted": list(weights.TABLE[name].sha256),
        "looked in": [str(folder) for folder in weights.folders()],
        "source": weights.TABLE[name].url,
        "missing without it": users,
    }


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_line(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " or ".join(value)
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)
