"""`plurifill shard [DATASET ...]`: sources become shards, an audit and frozen test masks under data/."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from ruamel.yaml import YAML

from stages.cli import options
from stages.images.build import build
from stages.images.dataset import Dataset
from stages.images.dataset_params import DatasetParams
from stages.images.layouts import dataset_params
from stages.images.manifest import manifest
from stages.images.masks import MaskSet, Source, freeze
from stages.images.sources.item import Item
from stages.project import paths
from stages.project.files import atomic, atomic_folder
from stages.project.params import dig, read
from stages.project.progress import tell

WARNINGS = 3  # so many doubted masks of a set are told one by one


def main(
    datasets: Annotated[list[str] | None, typer.Argument(help="names in params.yaml; default: all")] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="make nothing; write changed sources' manifests into params.yaml")
    ] = False,
    set_: options.Set = None,
) -> None:
    """Make each dataset's shards and masks; or, with --refresh, write its source's manifest into params.yaml."""
    path = Path("params.yaml")
    values = read(path, set_ or [])
    chosen = {name: dataset_params(values, name) for name in datasets or dig(values, "datasets")}
    if refresh:
        return refresh_manifests(path, chosen)
    for name, params in chosen.items():
        make(name, params, values.get("masks") or {})


def make(name: str, params: DatasetParams, sets: Mapping[str, Mapping[str, Any]]) -> None:
    """One dataset's shards, then a frozen mask set of every generator for its test images."""
    card = build(name, params, paths.shards(name), _progress)
    if params.manifest and params.manifest != card["manifest"]:
        tell(f"{name}: the source is not the one that params.yaml knows; run `plurifill shard --refresh {name}`")
    removed = card["duplicates"]["removed"]
    counts = ", ".join(f"{count} {split}" for split, count in card["counts"].items())
    tell(f"{name}: {counts}; {card['quarantined']} quarantined, {removed} duplicates removed from train")
    frozen = {set_name: generator for set_name, generator in sets.items() if generator}
    hashes = _freeze(name, params, frozen) if card["counts"]["test"] else {}
    print(f"{name} {card['fingerprint']}")
    for set_name, set_hash in hashes.items():
        print(f"{name}/{set_name} {set_hash}")


def _freeze(name: str, params: DatasetParams, sets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Written aside and moved when whole, as the shards are. Set name -> hash."""
    keys = Dataset.open(paths.shards(name), "test").keys
    folder, source = paths.masks(name), Source(paths.shards(name), params)
    with atomic_folder(folder) as part:
        for set_name, generator in sets.items():
            warnings = freeze(dict(generator), keys, params.size, part, set_name, params.seed, source)
            for warning in warnings[:WARNINGS]:
                tell(warning)
            if len(warnings) > WARNINGS:
                tell(f"mask set {set_name}: {len(warnings) - WARNINGS} more such masks")
    return {set_name: MaskSet.open(folder, set_name).hash for set_name in sets}


def refresh_manifests(path: Path, datasets: Mapping[str, DatasetParams]) -> None:
    """Compare every source with its `manifest` in params.yaml, and write the new one where it has changed."""
    yaml = YAML()  # round trip: comments, order and quotes stay
    yaml.preserve_quotes, yaml.width = True, 1 << 16
    document = yaml.load(path.read_text())
    changed = []
    for name, params in datasets.items():
        now = manifest(params)
        print(f"{name} {now} {'unchanged' if now == params.manifest else 'changed'}")
        if now != params.manifest:
            document["datasets"][name]["manifest"] = now
            changed.append(name)
    if changed:
        with atomic(path) as part:
            yaml.dump(document, part)
        tell(f"{path}: manifest of {', '.join(changed)} written; `dvc repro` makes the shards again")


def _progress(items: Iterable[Item], split: str, total: int) -> Iterable[Item]:
    console = Console(stderr=True)
    return track(items, split, total, console=console, transient=True, disable=not console.is_terminal)
