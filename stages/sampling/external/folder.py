"""Which files of a results folder complete which image, and as which sample, by the folder's layout."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stages.contract import UserError
from stages.images.listing import image_files
from stages.images.names import stem_of
from stages.sampling import pairs
from stages.sampling.external import index
from stages.sampling.external.layouts import OWN, Layout
from stages.sampling.external.pattern import Named, Pattern

SHOWN = 3  # so many names a line lists


@dataclass(frozen=True)
class Case:
    """One image, its mask, and its K completions in order."""

    key: str
    image: Path
    mask: Path
    completions: tuple[Path, ...]


def cases(results: Path, images: Path, masks: Path, layout: Layout = OWN) -> list[Case]:
    """Every image with its mask and completions, paired by name; UserError names what is missing, extra or uneven."""
    given = completions(results, layout)
    paired = _named_as(given, pairs.pair(images, masks), layout.by_mask)
    refuse_missing_and_extra(results, str(images), {one.key for one in paired}, given)
    return [Case(one.key, one.image, one.mask, given[one.key]) for one in paired]


def _named_as(given: Collection[str], paired: list[pairs.Pair], by_mask: bool) -> list[pairs.Pair]:
    """LaMa names its results as the masks, x_mask001.png: then these names are the keys."""
    names = {stem_of(Path(one.mask.name)): one for one in paired}
    if len(names) == len(paired) and (by_mask or set(given) == set(names)):
        return [replace(one, key=key) for key, one in names.items()]
    return paired


def completions(results: Path, layout: Layout = OWN) -> dict[str, tuple[Path, ...]]:
    """Completions by key, as many of each. Files that are no images are not looked at; UserError on the first fault."""
    pattern, named = _read(results, layout)
    keys = index.keys(layout.index or results / index.LIST, named.values()) if pattern.listed else {}
    found: dict[str, dict[str, list[Path]]] = {}
    for name, one in named.items():
        sample = str(int(one.sample)) if pattern.numbered else one.sample
        found.setdefault(keys.get(one.image, one.image), {}).setdefault(sample, []).append(name)
    _refuse_ambiguous(results, found)
    order = _order(results, pattern, {sample for some in found.values() for sample in some})
    _refuse_lacking(results, order, found)
    return {key: tuple(results / found[key][sample][0] for sample in order) for key in sorted(found)}


def _read(results: Path, layout: Layout) -> tuple[Pattern, dict[Path, Named]]:
    """The pattern that the names are of, and what each tells; UserError where they are of none, of two, or misnamed."""
    if not results.is_dir():
        raise UserError(f"{results}: no such folder of results")
    names = [name for name in image_files(results) if not layout.ignores(name)]
    read = [_by(pattern, names) for pattern in map(Pattern.of, layout.patterns)]
    fitting = [(pattern, told) for pattern, told in read if any(told.values())]
    if not fitting:
        raise UserError(f"{results}: no results in it: no picture is named as {layout.told}")
    if len(fitting) > 1:
        one, other = (next(name for name, named in told.items() if named) for _, told in fitting[:2])
        raise UserError(f"{results}: holds {one} and {other}; names must be of one kind, {layout.told}")
    pattern, told = fitting[0]
    misnamed = [name for name, named in told.items() if named is None]
    if misnamed:
        mend = "name them so, take them away, or ignore them by a pattern (ignore)"
        raise UserError(f"{results / misnamed[0]}: not named as {pattern.text} ({_few(misnamed)}); {mend}")
    return pattern, {name: named for name, named in told.items() if named}


def _by(pattern: Pattern, names: Iterable[Path]) -> tuple[Pattern, dict[Path, Named | None]]:
    """What a pattern tells of the names in its own folder; deeper ones than its own are not looked at."""
    here = [name for name in names if name.is_relative_to(pattern.folder) and len(name.parts) <= pattern.depth + 1]
    return pattern, {name: pattern.named(name) for name in here}


def _order(results: Path, pattern: Pattern, samples: Collection[str]) -> list[str]:
    """Samples in order, runs by the numbers in their names; UserError unless numbers go on from 0 or 1."""
    order = sorted(samples, key=_numbers_apart)
    if pattern.numbered:
        first = min(int(order[0]), 1)
        gaps = [number for number in range(first, first + len(order)) if str(number) not in samples]
        if gaps:
            raise UserError(f"{results}: sample {gaps[0]} of every image is missing; number samples from 0 or 1 on")
    return order


def _numbers_apart(run: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.split("([0-9]+)", run)]


def _refuse_ambiguous(results: Path, found: Mapping[str, Mapping[str, Sequence[Path]]]) -> None:
    several = [names for some in found.values() for names in some.values() if len(names) > 1]
    if several:
        first, other = several[0][:2]
        told = f"({_few([names[1] for names in several])})"
        line = f"{first} is a result of the same image and sample {told}"
        raise UserError(f"{results / other}: {line}; keep one of the two, or ignore one by a pattern (ignore)")


def _refuse_lacking(results: Path, order: Collection[str], found: Mapping[str, Mapping[str, object]]) -> None:
    lacking = [f"{sample} of {key}" for key, some in found.items() for sample in order if sample not in some]
    if lacking:
        raise UserError(f"{results}: no sample {_few(lacking)}; give every image as many ({len(order)})")


def refuse_missing_and_extra(results: Path, images: str, keys: set[str], given: Mapping[str, tuple[Path, ...]]) -> None:
    """UserError unless there are results of all `keys` and of nothing else; `images` says whose keys they are."""
    missing, extra = sorted(keys - given.keys()), sorted(given.keys() - keys)
    if missing:
        raise UserError(f"{results}: no result for {_few(missing)} ({len(missing)} of {len(keys)} images have none)")
    if extra:
        shown, told = given[extra[0]][0], f"({len(extra)} such results)"
        raise UserError(f"{shown}: no image {_few(extra)} in {images} {told}; take extra results away, or ignore them")


def _few(names: Collection[object]) -> str:
    """The first of the names; how many there are where these are not all."""
    first = ", ".join(str(name) for name in list(names)[:SHOWN])
    return first if len(names) <= SHOWN else f"{first} ... ({len(names)})"
