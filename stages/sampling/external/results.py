"""Results made elsewhere for the project's own test sets, data/external/<name>/<testset>/: they are stored as samples.

They lie there as the entry's layout says, and are checked as strictly as any folder of results; an entry is sampled and
scored on the test sets that it has results of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stages.contract import UserError
from stages.images.names import BESIDE, distinct
from stages.images.pixels import Uint8
from stages.project import paths
from stages.project.entries import Entry
from stages.project.hashing import of_file, of_values
from stages.project.params import nearest
from stages.project.progress import tell
from stages.project.threads import in_order
from stages.sampling.external import layouts, result_file
from stages.sampling.external.folder import Case, completions, refuse_missing_and_extra
from stages.sampling.external.layouts import Layout
from stages.sampling.external.survey import Declared, Inspection, inspect_image, judge
from stages.sampling.sampler import Drawn
from stages.sampling.testsets import TestSet, spaced


@dataclass(frozen=True)
class ExternalResults:
    """A test set's results by key, K an image, as a source of samples; `digest` covers every file."""

    files: Mapping[str, tuple[Path, ...]]
    samples: int
    digest: str
    lossy: bool = False
    no_joules: ClassVar[str] = "results made elsewhere"
    peak_memory_bytes: ClassVar[int] = 0

    @property
    def told(self) -> dict[str, Any]:
        """What samples of it are described by."""
        return {"results": self.digest, **({"lossy": True} if self.lossy else {})}

    def draw(self, testset: TestSet, images: Sequence[int]) -> Drawn:
        """The images' results; the one result of a method that gives no more is K times the same."""
        raw_BKHWC = np.stack([self._read(testset.dataset.keys[i]) for i in images])
        return Drawn(raw_BKHWC, [{}] * len(images))

    def _read(self, key: str) -> Uint8:
        given_KHWC = result_file.read(self.files[key])
        return np.repeat(given_KHWC, self.samples, axis=0) if len(given_KHWC) < self.samples else given_KHWC


def covered(entry: Entry, testsets: Sequence[str]) -> list[str]:
    """The test sets that an entry has results of; UserError where it has none at all, or some for no test set."""
    place = paths.external(entry.folder)
    found = sorted(path.name for path in place.glob("[!.]*") if path.is_dir())
    for name in found:
        if name not in testsets:
            raise UserError(f"{place / name}: no test set of that name in params.yaml{nearest(name, testsets)}")
    if not found:
        mend = "put <testset>/<key>.png there, or take its variant out of params"
        raise UserError(f"{place}: no results of {entry}; {mend}")
    return [name for name in testsets if name in found]


def read(entry: Entry, params: Any, testset: TestSet) -> ExternalResults:
    """An entry's results of a test set, checked to the last pixel; `params.output_kind` says what they are."""
    place = paths.external(entry.folder) / testset.name
    whole = [testset.dataset.keys[i] for i in spaced(len(testset.dataset.keys), testset.params.images)]
    found = _of_images(place, layouts.layout_of(params.layout, params.ignore), set(whole), testset.name)
    _refuse_another_count(place, len(next(iter(found.values()))), testset)
    survey = judge(tuple(_inspections(found, testset, params.output_kind)), _declared(params.output_kind, testset))
    for warning in survey.warnings:
        tell(f"WARNING: {entry}: {warning}")
    files = {key: found[key] for key in testset.keys}
    digest = of_values({key: [of_file(path) for path in some] for key, some in files.items()})
    return ExternalResults(files, testset.params.samples, digest, survey.lossy)


def _of_images(place: Path, layout: Layout, keys: set[str], testset: str) -> dict[str, tuple[Path, ...]]:
    """Results by key."""
    found = completions(place, layout)
    if layout.by_mask:
        found = {key: (path,) for key, path in _beside(found, keys).items()}
    refuse_missing_and_extra(place, f"testsets.{testset}", keys, found)
    return found


def _beside(found: Mapping[str, tuple[Path, ...]], keys: set[str]) -> dict[str, Path]:
    """The one result of each image where they have their masks' names: LaMa's x_mask001 is of x."""
    images = ((key, None if key in keys else BESIDE.fullmatch(key)) for key in found)
    named = ((match[1] if match else key, found[key][0]) for key, match in images)
    return distinct(named, "is a result of the same image; keep one of the two")


def _inspections(found: Mapping[str, tuple[Path, ...]], testset: TestSet, kind: str) -> Iterator[Inspection]:
    def inspected(key: str, position: int) -> Inspection:
        image, mask = Path(testset.dataset.name) / key, Path(testset.params.masks) / key  # names: no files of their own
        case = Case(key, image, mask, found[key])
        return inspect_image(case, testset.dataset.image(position), testset.masks.hole(key), kind)

    return in_order(lambda one: inspected(*one), zip(testset.keys, testset.chosen, strict=True))


def _declared(kind: str, testset: TestSet) -> Declared:
    """In the words of params.yaml: the masks are ours, so only the results can have been made the wrong way round."""
    return Declared(
        kind,
        f"testsets.{testset.name}: under its masks",
        "they were made with hole and rest swapped; make them again",
        "set output_kind: raw",
        "; or were they made with hole and rest swapped?",
    )


def _refuse_another_count(place: Path, given: int, testset: TestSet) -> None:
    asked = testset.params.samples
    if given not in {1, asked}:
        where = f"testsets.{testset.name}.samples = {asked}"
        raise UserError(f"{place}: {given} results an image, but {where}; give as many")
