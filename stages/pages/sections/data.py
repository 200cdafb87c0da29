"""Data: counts and hashes of each dataset, and what its making found wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.contract import UserError
from stages.images.dataset import read_card
from stages.pages.found import Found
from stages.pages.section import Content, Nothing
from stages.project import tables

TITLE = "Data"
ORDER = 70
SHOWN = 50  # rows of an audit table on the page
AUDITS = {"quarantine": "Images left out", "duplicates": "Training images that copy a held-out one"}


@dataclass(frozen=True)
class Audit:
    """One of the lists that `plurifill shard` left, its first rows as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    file: str


@dataclass(frozen=True)
class Data:
    """One dataset."""

    name: str
    facts: tuple[tuple[str, str], ...]
    audits: tuple[Audit, ...]


def content(found: Found) -> Content | Nothing:
    """Every finished dataset."""
    if not found.datasets:
        return Nothing("No dataset is made yet: run plurifill shard, or dvc repro.")
    return {"datasets": [_dataset(folder) for folder in found.datasets]}


def _dataset(folder: Path) -> Data:
    card = read_card(folder)
    splits = tuple((split, f"{count:,} images") for split, count in card["counts"].items())
    hashes = tuple((f"{split} split hash", value[:12]) for split, value in card["splits"].items())
    size = ("size", f"{card['size']} px" + (f", {card['classes']} classes" if card["classes"] else ""))
    audits = tuple(_audit(folder / stem, title) for stem, title in AUDITS.items())
    return Data(card["name"], (size, *splits, *hashes), audits)


def _audit(stem: Path, title: str) -> Audit:
    try:
        frame = tables.read(stem)
    except UserError:
        return Audit(f"{title} (no list here)", (), (), 0, stem.name)
    rows = tuple(tuple(map(str, row)) for row in frame.head(SHOWN).itertuples(index=False))
    return Audit(title, tuple(map(str, frame.columns)), rows, len(frame), stem.name)
