"""One look at every pixel before anything is scored: were the results declared rightly, and are they samples at all?

Axes: N completions of all images. Levels are of uint8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from stages.contract import UserError
from stages.images import files
from stages.images.mask_levels import Mask
from stages.images.pixels import Bool, Uint8
from stages.project.threads import in_order
from stages.sampling import pairs
from stages.sampling.external import result_file
from stages.sampling.external.folder import Case
from stages.sampling.external.polarity import other_colour


@dataclass(frozen=True)
class Declared:
    """What was said about results, and how the line of a fault names it: `turned` says what to do about swapped masks.

    `masks` is what is at fault there, `raw` how raw output is declared.
    """

    kind: str
    masks: str
    turned: str
    raw: str
    doubt: str

    @classmethod
    def of_options(cls, kind: str, hole: str, masks: Path) -> Declared:
        """By the options of `plurifill benchmark --results`."""
        other = f"--hole {other_colour(hole)}"
        turned = f"the masks are declared the wrong way round; use {other}"
        return cls(kind, f"{masks}: with {hole} holes", turned, "declare --output-kind raw", f"; or is it {other}?")


@dataclass(frozen=True)
class Inspection:
    """What one image's completions are like; differences to the image are of the worst channel, in levels."""

    case: Case
    shape: tuple[int, int]
    hole_ratio: float
    in_hole: float
    outside: float
    largest_outside: int
    all_same: bool
    lossy: bool
    image_digest: bytes
    hole_digest: bytes
    result_digest: bytes
    suspicion: str | None


@dataclass(frozen=True)
class Survey:
    """All inspections of a folder that passed, and warnings that the person should see."""

    inspections: tuple[Inspection, ...]
    warnings: tuple[str, ...]

    @property
    def smaller_side(self) -> int:
        """Pixels: what a protocol card calls the size."""
        return min(self.inspections[0].shape)

    @property
    def lossy(self) -> bool:
        """Whether results came as JPEG: not quite the pixels that were computed."""
        return any(one.lossy for one in self.inspections)

    @property
    def image_hash(self) -> str:
        """Covers keys and pixels of the images."""
        return _digest([one.case.key.encode() + one.image_digest for one in self.inspections])

    @property
    def result_hash(self) -> str:
        """Covers keys and pixels of the results."""
        return _digest([one.case.key.encode() + one.result_digest for one in self.inspections])

    @property
    def hole_hash(self) -> str:
        """Covers keys and pixels of the holes."""
        return _digest([one.case.key.encode() + one.hole_digest for one in self.inspections])


def survey(cases: Sequence[Case], hole: str, kind: str, masks: Path) -> Survey:
    """Inspection at everything; UserError on the first fault. `masks` is named where the polarity is at fault."""
    read = lru_cache(maxsize=1)(partial(files.read_mask, hole=hole))  # one mask may be of all images
    inspections = in_order(lambda case: _inspected(case, hole, kind, read), cases)
    return judge(tuple(inspections), Declared.of_options(kind, hole, masks))


def _inspected(case: Case, hole: str, kind: str, read: Callable[[Path], Mask]) -> Inspection:
    original, mask = pairs.opened(pairs.Pair(case.key, case.image, case.mask), hole, read)
    found = inspect_image(case, original.image_HWC, mask.hole_HW, kind)
    return replace(found, suspicion=found.suspicion or mask.remark)


def judge(inspections: tuple[Inspection, ...], declared: Declared) -> Survey:
    """What all inspections together tell; UserError on the first fault."""
    refuse_several_sizes(inspections)
    refuse_inverted_masks(inspections, declared)
    if declared.kind == "composited":
        refuse_changed_known_pixels(inspections, declared)
    refuse_one_picture(inspections)
    return Survey(inspections, tuple(_warnings(inspections, declared)))


def inspect_image(case: Case, image_HWC: Uint8, hole_HW: Bool, kind: str) -> Inspection:
    """Headers first, then pixels; UserError names the file at fault."""
    headers = [result_file.header(path, kind) for path in case.completions]
    for path, found in zip(case.completions, (one.shape for one in headers), strict=True):
        if found != image_HWC.shape[:2]:
            sizes = f"{found[1]} x {found[0]} pixels, but {case.image} has {image_HWC.shape[1]} x {image_HWC.shape[0]}"
            raise UserError(f"{path}: {sizes}; results and images must be of one size")
    raw_KHWC = result_file.read(case.completions)
    apart_KHW = np.abs(raw_KHWC.astype(np.int16) - image_HWC).max(axis=-1)
    return Inspection(
        case=case,
        shape=(image_HWC.shape[0], image_HWC.shape[1]),
        hole_ratio=float(hole_HW.mean()),
        in_hole=float(apart_KHW[:, hole_HW].mean()),
        outside=float(apart_KHW[:, ~hole_HW].mean()),
        largest_outside=int(apart_KHW[:, ~hole_HW].max()),
        all_same=len(raw_KHWC) > 1 and bool((raw_KHWC == raw_KHWC[:1]).all()),
        lossy=any(one.lossy for one in headers),
        image_digest=_sha256(image_HWC),
        hole_digest=_sha256(hole_HW),
        result_digest=_sha256(raw_KHWC),
        suspicion=pairs.suspicion(image_HWC, hole_HW),
    )


def refuse_several_sizes(inspections: Sequence[Inspection]) -> None:
    """A score belongs to one resolution."""
    first = inspections[0]
    for other in inspections:
        if other.shape != first.shape:
            told = [f"{one.case.image} has {one.shape[1]} x {one.shape[0]}" for one in (first, other)]
            raise UserError(f"{told[0]} pixels and {told[1]}; score images of each size in a run of its own")


def refuse_inverted_masks(inspections: Sequence[Inspection], declared: Declared) -> None:
    """Where every declared hole holds the image's very pixels and the rest does not, hole and rest were swapped."""
    if all(one.in_hole == 0 for one in inspections) and any(one.outside > 0 for one in inspections):
        raise UserError(
            f"{declared.masks} no result differs from its image inside the hole, only outside of it: {declared.turned}"
        )


def refuse_changed_known_pixels(inspections: Sequence[Inspection], declared: Declared) -> None:
    """A composited result has the image's very pixels wherever these are known."""
    changed = [one for one in inspections if one.largest_outside]
    if not changed:
        return
    worst = max(changed, key=lambda one: one.largest_outside)
    share = f"{len(changed)} of {len(inspections)} images"
    raise UserError(
        f"{worst.case.completions[0]}: declared composited, but known pixels differ from {worst.case.image} by up to "
        f"{worst.largest_outside} levels ({share} are so); {declared.raw}{_swapped(inspections, declared)}"
    )


def refuse_one_picture(inspections: Sequence[Inspection]) -> None:
    """K copies of one picture are no K samples."""
    if all(one.all_same for one in inspections):
        paths = inspections[0].case.completions
        raise UserError(
            f"{paths[0]}: the {len(paths)} samples of this image, and of every other, are one and the same picture; "
            "draw them with different seeds, or give one alone"
        )


def _swapped(inspections: Sequence[Inspection], declared: Declared) -> str:
    """The end of a line: a doubt about the polarity, where results differ more outside of the holes than inside."""
    inside, outside = (float(np.mean([getattr(one, name) for one in inspections])) for name in ("in_hole", "outside"))
    return declared.doubt if outside > inside else ""


def _warnings(inspections: Sequence[Inspection], declared: Declared) -> list[str]:
    doubtful = [one for one in inspections if one.suspicion]
    lines = []
    if doubtful:
        rest = f" ({len(doubtful)} of {len(inspections)} masks are doubtful)"
        lines.append(f"{doubtful[0].case.mask}: {doubtful[0].suspicion}{rest}")
    if declared.kind == "raw" and (doubt := _swapped(inspections, declared)):
        lines.append(f"the results differ from the images more outside of the holes than inside{doubt}")
    return lines


def _sha256(array: Uint8 | Bool) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()


def _digest(parts: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()
