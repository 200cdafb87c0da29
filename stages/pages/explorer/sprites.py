"""One picture an image: original, what was given, and every entry's samples with their spread, tile by tile.

Tiles lie in a grid: line 0 holds the original and what was given (its hole transparent); line e + 1 holds entry e's raw
samples and, in the last column, their spread. The page lays the given over a raw sample where it shows it composited.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stages.pages.testsets import SampledTestSet, alike

SAMPLES = 12  # of an entry; all of them stay in data/samples
QUALITY = 88
SIDE = 48  # pixels of a thumbnail
ACROSS = 32  # thumbnails a line of a sheet
SHEET = 1024  # thumbnails a sheet

# no spread to much: dark, violet, orange, light (at 0, 1/3, 2/3, 1), told apart in grey as well
HEAT = np.array([[18, 16, 34], [120, 38, 110], [232, 104, 52], [252, 236, 170]], dtype=np.float64)
FULL = 64.0  # levels of standard deviation that have the lightest colour


def sprite(testset: SampledTestSet, key: str) -> tuple[NDArray[np.uint8], list[bool]]:
    """RGBA (lines x H, columns x W, 4), and by entry whether all its samples are one picture."""
    image_HWC, hole_HW = testset.image(key), testset.hole(key)
    size, shown = len(image_HWC), columns(testset)
    sheet = np.zeros(((len(testset.entries) + 1) * size, (shown + 1) * size, 4), dtype=np.uint8)
    sheet[..., 3] = 255
    _put(sheet, 0, 0, image_HWC)
    _put(sheet, 0, 1, image_HWC * ~hole_HW[..., None])
    sheet[:size, size : 2 * size, 3] = np.where(hole_HW, 0, 255)
    same = []
    for line, samples in enumerate(testset.entries, start=1):
        raw_KHWC = samples.raw_KHWC(key)
        same.append(alike(raw_KHWC))
        for k, raw_HWC in enumerate(raw_KHWC[: 1 if same[-1] else shown]):
            _put(sheet, line, k, raw_HWC)
        _put(sheet, line, shown, spread(raw_KHWC))
    return sheet, same


def columns(testset: SampledTestSet) -> int:
    """Samples shown of an entry."""
    return min(SAMPLES, max(samples.description["samples"] for samples in testset.entries))


def spread(raw_KHWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Standard deviation over samples (mean of the colours) as a picture; on one scale for all images and entries."""
    deviation_HW = raw_KHWC.astype(np.float32).std(axis=0).mean(axis=-1) / FULL
    steps = np.linspace(0.0, 1.0, len(HEAT))
    return np.stack([np.interp(deviation_HW, steps, HEAT[:, c]) for c in range(3)], axis=-1).round().astype(np.uint8)


def sheets(testset: SampledTestSet) -> list[NDArray[np.uint8]]:
    """The originals as thumbnails, SHEET a picture, ACROSS a line."""
    return [_sheet(testset, testset.keys[i : i + SHEET]) for i in range(0, len(testset.keys), SHEET)]


def encode(picture_HWC: NDArray[np.uint8]) -> bytes:
    """RGB or RGBA as WebP, its transparency exact; the same bytes for the same pixels."""
    out = io.BytesIO()
    Image.fromarray(picture_HWC).save(out, "WEBP", quality=QUALITY, method=2)
    return out.getvalue()


def _sheet(testset: SampledTestSet, keys: Sequence[str]) -> NDArray[np.uint8]:
    sheet = np.zeros((-(-len(keys) // ACROSS) * SIDE, ACROSS * SIDE, 3), dtype=np.uint8)
    for i, key in enumerate(keys):
        small = Image.fromarray(testset.image(key)).resize((SIDE, SIDE), Image.Resampling.BOX)
        _put(sheet, i // ACROSS, i % ACROSS, np.asarray(small))
    return sheet


def _put(sheet: NDArray[np.uint8], line: int, column: int, picture_HWC: NDArray[np.uint8]) -> None:
    size = len(picture_HWC)
    sheet[line * size : (line + 1) * size, column * size : (column + 1) * size, :3] = picture_HWC
