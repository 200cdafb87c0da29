"""Which files of a results folder complete which image: `<key>.png`, or `<key>/<kk>.png` with kk = 0 ... K - 1."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from stages.contract import UserError
from stages.images.names import composed, distinct, stem_of
from stages.sampling import pairs

SAME = "is a result of the same image; keep one of the two"


@dataclass(frozen=True)
class Case:
    """One image, its mask, and its K completions in order."""

    key: str
    image: Path
    mask: Path
    completions: tuple[Path, ...]


def cases(results: Path, images: Path, masks: Path) -> list[Case]:
    """Every image with its mask and completions, paired by name; UserError names what is missing, extra or uneven."""
    paired = _named_as(completions(results), pairs.pair(images, masks))
    found = matched(results, {one.key for one in paired}, str(images))
    return [Case(one.key, one.image, one.mask, found[one.key]) for one in paired]


def _named_as(found: Collection[str], paired: list[pairs.Pair]) -> list[pairs.Pair]:
    """LaMa names its results as the masks, x_mask001.png: then these names are the keys."""
    by_mask = {stem_of(Path(one.mask.name)): one for one in paired}
    if set(found) != set(by_mask) or len(by_mask) < len(paired):
        return paired
    return [replace(one, key=key) for key, one in by_mask.items()]


def matched(results: Path, keys: set[str], images: str) -> dict[str, tuple[Path, ...]]:
    """The completions of all `keys` and of nothing else, as many of each; `images` says whose keys they are."""
    found = completions(results)
    _refuse_missing_and_extra(results, images, keys, found)
    _refuse_uneven(found)
    return found


def completions(results: Path) -> dict[str, tuple[Path, ...]]:
    """Completions by key. Files that are no images are not looked at; an image file of another kind is (and fails)."""
    if not results.is_dir():
        raise UserError(f"{results}: no such folder of results")
    flat = pairs.pictures(results)
    folders = sorted(path for path in results.iterdir() if path.is_dir() and not path.name.startswith("."))
    named = distinct(((composed(folder.name), folder) for folder in folders if pairs.pictures(folder)), SAME)
    nested = {key: _numbered(folder) for key, folder in named.items()}
    if flat and nested:
        raise UserError(f"{results}: holds {flat[0].name} and {next(iter(nested))}/; give <key>.png or <key>/<kk>.png")
    if not flat and not nested:
        raise UserError(f"{results}: no results in it; give <key>.png or <key>/<kk>.png")
    return nested or {key: (path,) for key, path in _distinct(flat).items()}


def _distinct(paths: list[Path]) -> dict[str, Path]:
    return distinct(((stem_of(Path(path.name)), path) for path in paths), SAME)


def _numbered(folder: Path) -> tuple[Path, ...]:
    """A folder's pictures by number; UserError where these are not 0 ... K - 1."""
    paths = list(_distinct(pairs.pictures(folder)).values())
    for path in paths:
        if not (path.stem.isascii() and path.stem.isdigit()):
            raise UserError(f"{path}: not a sample's name; name the samples of an image 00.png, 01.png ...")
    ordered = sorted(paths, key=lambda path: int(path.stem))
    for k, path in enumerate(ordered):
        if int(path.stem) != k:
            raise UserError(f"{folder}: sample {k:02d} is missing; {len(ordered)} samples are numbered from 00 on")
    return tuple(ordered)


def _refuse_missing_and_extra(results: Path, images: str, keys: set[str], found: dict[str, tuple[Path, ...]]) -> None:
    missing, extra = sorted(keys - found.keys()), sorted(found.keys() - keys)
    if missing:
        raise UserError(f"{results}: no result for {missing[0]} ({len(missing)} of {len(keys)} images have none)")
    if extra:
        shown = found[extra[0]][0]
        raise UserError(
            f"{shown}: no image {extra[0]} in {images} ({len(extra)} such results); take extra results away"
        )


def _refuse_uneven(found: dict[str, tuple[Path, ...]]) -> None:
    counts = {key: len(paths) for key, paths in found.items()}
    usual = max(counts.values())
    for key, count in counts.items():
        if count != usual:
            raise UserError(f"{found[key][0].parent}: {count} samples, others have {usual}; give every image as many")
