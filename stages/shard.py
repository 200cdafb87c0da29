"""`plurifill shard [DATASET ...]`: sources become shards, an audit and frozen masks of test sets under data/.

Masks are frozen for what test sets name, a generator and a split each. Where only these have changed, the finished
shards are put back and not made again.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from ruamel.yaml import YAML

from stages.cli import options
from stages.contract import UserError
from stages.images.build import build
from stages.images.dataset import Dataset, is_whole, read_card
from stages.images.dataset_params import DatasetParams
from stages.images.layouts import dataset_params
from stages.images.manifest import manifest
from stages.images.masks import MaskSet, Source, freeze
from stages.images.sources.item import Item
from stages.project import code, locks, paths
from stages.project.files import atomic, atomic_folder, clear, keep_newest, link_folder
from stages.project.hashing import of_values
from stages.project.params import dig, nearest, read
from stages.project.progress import tell
from stages.sampling import testsets

KEPT = 2  # finished shards of a dataset: an edit may be taken back
CODE, ROOMS = ("stages.images.build",), ("stages.images",)  # what shards are made by
PATIENCE_S = 20.0  # for another process that makes the same dataset to end
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
        make(name, params, _named(values, name))


def make(name: str, params: DatasetParams, sets: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """One dataset's shards, then frozen masks: `sets` are generators by split and name."""
    busy = f"{paths.shards(name)}: another process makes this dataset; wait for it, or stop it"
    with locks.held(paths.progress(name, "shards", "").with_suffix(".lock"), PATIENCE_S, busy):
        _make(name, params, sets)


def _make(name: str, params: DatasetParams, sets: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    card = _shards(name, params)
    if params.manifest and params.manifest != card["manifest"]:
        tell(f"{name}: the source is not the one that params.yaml knows; run `plurifill shard --refresh {name}`")
    removed = card["duplicates"]["removed"]
    counts = ", ".join(f"{count} {split}" for split, count in card["counts"].items())
    tell(f"{name}: {counts}; {card['quarantined']} quarantined, {removed} duplicates removed from train")
    print(f"{name} {card['fingerprint']}")
    with atomic_folder(paths.masks(name)) as part:  # written aside and moved when whole, as the shards are
        for split, generators in sets.items():
            if card["counts"][split]:
                _freeze(name, params, split, generators, part / paths.masks(name, split).relative_to(paths.masks(name)))


def _named(values: Mapping[str, Any], dataset: str) -> dict[str, dict[str, Any]]:
    """The generators that test sets of the dataset name, by split; UserError where there is none of such a name."""
    named = testsets.frozen(values, dataset)
    blocks = {name: block for name, block in (values.get("masks") or {}).items() if block}
    for name in (name for names in named.values() for name in names if name not in blocks):
        raise UserError(f"params: testsets: no mask generator {name} in masks{nearest(name, list(blocks))}")
    return {split: {name: blocks[name] for name in names} for split, names in named.items()}


def _shards(name: str, params: DatasetParams) -> dict[str, Any]:
    """The dataset's card. Its shards are put back, if whole, where source, params and code are those they are of."""
    made_by = code.digest(*CODE, f"stages.images.layouts.{params.layout}", rooms=ROOMS)
    of = {"name": name, "params": params.model_dump(mode="json"), "manifest": manifest(params), "code": made_by}
    digest = of_values(of)
    finished = paths.finished(name, "shards", digest)
    clear(finished)  # a run may have been killed just when it had linked it
    if is_whole(finished):
        link_folder(finished, paths.shards(name))
        return read_card(paths.shards(name))
    card = build(name, params, paths.shards(name), _progress, digest)
    link_folder(paths.shards(name), finished)
    keep_newest(finished.parent, KEPT)
    return card


def _freeze(name: str, params: DatasetParams, split: str, sets: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    keys, source = Dataset.open(paths.shards(name), split).keys, Source(paths.shards(name), params, split)
    for set_name, generator in sets.items():
        warnings = freeze(dict(generator), keys, params.size, folder, set_name, params.seed, source)
        for warning in warnings[:WARNINGS]:
            tell(warning)
        if len(warnings) > WARNINGS:
            tell(f"mask set {set_name}: {len(warnings) - WARNINGS} more such masks")
        of = "" if split == "test" else f"{split}/"
        print(f"{name}/{of}{set_name} {MaskSet.open(folder, set_name).hash}")


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
