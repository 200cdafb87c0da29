"""Results made elsewhere for the project's own draws: data/external/<name>/<draw>/, checked as strictly as any folder.

A method is such where its params are `contract.Made`; it is sampled and scored on the draws that it has results of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages import places
from stages.contract import Made, Params, UserError
from stages.engine.fingerprint import of_file, of_values
from stages.engine.params import nearest
from stages.engine.progress import tell
from stages.external import png
from stages.external.folder import Case, matched
from stages.external.survey import Declared, Look, judge, look
from stages.images.pixels import Uint8
from stages.samples import store
from stages.samples.draws import Opened, spaced


@dataclass(frozen=True)
class Shelf:
    """A draw's results by key, K an image; `digest` covers every file."""

    paths: Mapping[str, tuple[Path, ...]]
    samples: int
    digest: str

    def __call__(self, key: str) -> Uint8:
        """(K, H, W, 3); the one result of a method that gives no more is K times the same."""
        given_KHWC = png.read(self.paths[key])
        return np.repeat(given_KHWC, self.samples, axis=0) if len(given_KHWC) < self.samples else given_KHWC


def covered(row: str, params: Params, draws: Sequence[str]) -> list[str]:
    """The draws that a row is sampled and scored on: all, or those of which it has results.

    UserError where it has none at all, or some for a draw that there is not.
    """
    if not isinstance(params, Made):
        return list(draws)
    place = places.external(store.folder(row))
    found = sorted(path.name for path in place.glob("[!.]*") if path.is_dir())
    for name in found:
        if name not in draws:
            raise UserError(f"{place / name}: no draw of that name in params.yaml{nearest(name, draws)}")
    if not found:
        raise UserError(f"{place}: no results of {row}; put <draw>/<key>.png there, or take its variant out of params")
    return [name for name in draws if name in found]


def shelf(row: str, params: Params, opened: Opened) -> Shelf | None:
    """A row's results of a draw, checked to the last pixel; None for a method that completes images itself."""
    if not isinstance(params, Made):
        return None
    place = places.external(store.folder(row)) / opened.name
    dataset, draw = opened.dataset, opened.draw
    whole = [dataset.keys[i] for i in spaced(len(dataset.keys), draw.images)]
    found = matched(place, set(whole), f"draws.{opened.name}")
    _refuse_another_count(place, len(next(iter(found.values()))), opened)
    survey = judge(tuple(_looks(found, opened)), _declared(params, opened))
    for warning in survey.warnings:
        tell(f"WARNING: {row}: {warning}")
    paths = {key: found[key] for key in opened.keys}
    digest = of_values({key: [of_file(path) for path in some] for key, some in paths.items()})
    return Shelf(paths, draw.samples, digest)


def _looks(found: Mapping[str, tuple[Path, ...]], opened: Opened) -> Iterator[Look]:
    for key, position in zip(opened.keys, opened.chosen, strict=True):
        image, mask = Path(opened.dataset.name) / key, Path(opened.draw.masks) / key  # names: no files of their own
        yield look(Case(key, image, mask, found[key]), opened.dataset.image(position), opened.masks.hole(key))


def _declared(params: Made, opened: Opened) -> Declared:
    """In the words of params.yaml: the masks are ours, so only the results can have been made the wrong way round."""
    return Declared(
        params.output_kind,
        f"draws.{opened.name}: under its masks",
        "they were made with hole and rest swapped; make them again",
        "set output_kind: raw",
        "; or were they made with hole and rest swapped?",
    )


def _refuse_another_count(place: Path, given: int, opened: Opened) -> None:
    asked = opened.draw.samples
    if given not in {1, asked}:
        raise UserError(f"{place}: {given} results an image, but draws.{opened.name}.samples = {asked}; give as many")
