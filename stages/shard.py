"""`plurifill shard [DATASET ...]`: sources become shards, an audit and frozen test masks under data/."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from ruamel.yaml import YAML

from stages import places
from stages.contract import UserError
from stages.engine import params as settings
from stages.images.block import Block
from stages.images.build import build
from stages.images.dataset import Dataset
from stages.images.manifest import manifest
from stages.images.masks import MaskSet, freeze
from stages.images.sources import LAYOUTS, Item


def main(
    datasets: Annotated[list[str] | None, typer.Argument(help="names in params.yaml; default: all")] = None,
    look: Annotated[bool, typer.Option("--look", help="only look whether a source has changed")] = False,
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
) -> None:
    """Make each dataset's shards and masks; or, with --look, write its source's manifest into params.yaml."""
    path = Path("params.yaml")
    values = settings.read(path, set_ or [])
    blocks = {name: block_of(values, name) for name in datasets or values["datasets"]}
    if look:
        return note(path, blocks)
    for name, block in blocks.items():
        make(name, block, values.get("masks") or {})


def block_of(values: Mapping[str, Any], name: str) -> Block:
    """A dataset's validated block."""
    block = settings.dig(values, f"datasets.{name}")
    layout = block.get("layout")
    if layout not in LAYOUTS:
        known = settings.nearest(str(layout), list(LAYOUTS))
        raise UserError(f"params: datasets.{name}.layout = {layout!r} is not a layout{known}")
    return settings.validate(LAYOUTS[layout].block, block, f"datasets.{name}")


def make(name: str, block: Block, sets: Mapping[str, Mapping[str, Any]]) -> None:
    """One dataset's shards, then a frozen mask set of every law for its test images."""
    card = build(name, block, places.shards(name), _progress)
    if block.manifest and block.manifest != card["manifest"]:
        say(f"{name}: the source is not the one that params.yaml knows; run `plurifill shard --look {name}`")
    removed = card["duplicates"]["removed"]
    counts = ", ".join(f"{count} {split}" for split, count in card["counts"].items())
    say(f"{name}: {counts}; {card['quarantined']} quarantined, {removed} copies removed from train")
    hashes = _freeze(name, block, sets) if card["counts"]["test"] else {}
    print(f"{name} {card['fingerprint']}")
    for set_name, set_hash in hashes.items():
        print(f"{name}/{set_name} {set_hash}")


def _freeze(name: str, block: Block, sets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Written aside and moved when whole, as the shards are. Set name -> hash."""
    keys = Dataset.open(places.shards(name), "test").keys
    folder = places.masks(name)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for set_name, law in sets.items():
        warnings = freeze(dict(law), keys, block.size, part, set_name, block.seed)
        for warning in warnings[:3]:
            say(warning)
        if len(warnings) > 3:
            say(f"mask set {set_name}: {len(warnings) - 3} more such masks")
    part.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return {set_name: MaskSet.open(folder, set_name).hash for set_name in sets}


def note(path: Path, blocks: Mapping[str, Block]) -> None:
    """Compare every source with its `manifest` in params.yaml, and write the new one where it has changed."""
    yaml = YAML()  # round trip: comments, order and quotes stay
    yaml.preserve_quotes, yaml.width = True, 1 << 16
    document = yaml.load(path.read_text())
    changed = []
    for name, block in blocks.items():
        now = manifest(block)
        print(f"{name} {now} {'unchanged' if now == block.manifest else 'changed'}")
        if now != block.manifest:
            document["datasets"][name]["manifest"] = now
            changed.append(name)
    if changed:
        part = path.with_name(f".{path.name}.part")
        with part.open("w") as file:
            yaml.dump(document, file)
        part.replace(path)
        say(f"{path}: manifest of {', '.join(changed)} written; `dvc repro` makes the shards again")


def say(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr)


def _progress(items: Iterable[Item], split: str, total: int) -> Iterable[Item]:
    console = Console(stderr=True)
    return track(items, split, total, console=console, transient=True, disable=not console.is_terminal)
