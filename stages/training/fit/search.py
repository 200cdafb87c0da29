"""The largest micro-batch that fits, in few trials: two small ones say where to look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Trial = Callable[[int], int | None]  # so many images -> bytes at the most; None: they do not fit


@dataclass(frozen=True)
class Found:
    """Bytes at the most of the sizes that fit; a size that was tried and does not fit has None."""

    peaks: dict[int, int | None]

    @property
    def fits(self) -> int | None:
        """The largest size that fits."""
        return max((size for size, peak in self.peaks.items() if peak is not None), default=None)

    @property
    def image(self) -> float | None:
        """Bytes an image: between the smallest and the largest size that fit; None where there are no two."""
        known = sorted((size, peak) for size, peak in self.peaks.items() if peak is not None)
        if len(known) < 2:
            return None
        (low, least), (high, most) = known[0], known[-1]
        return max(0.0, (most - least) / (high - low))

    def predicted(self, size: int) -> float | None:
        """Bytes at the most with so many images, along the line through the smallest and the largest that fit."""
        if self.image is None:
            return None
        largest = max(one for one, peak in self.peaks.items() if peak is not None)
        return (self.peaks[largest] or 0) + self.image * (size - largest)


def sizes(batch: int) -> list[int]:
    """Micro-batches of which a whole number is the batch, rising: powers of two, and the batch itself."""
    powers = [2**k for k in range(batch.bit_length()) if batch % 2**k == 0]
    return sorted({*powers, batch})


def largest(candidates: Sequence[int], limit: int, trial: Trial) -> Found:
    """Try the two smallest, then where the line through them meets the limit, then up or down from there."""
    found = Found({})
    for size in candidates[:2]:
        found.peaks[size] = trial(size)
    at = max((i for i, size in enumerate(candidates) if (found.predicted(size) or limit + 1) <= limit), default=0)
    while 0 <= at < len(candidates):
        size = candidates[at]
        if size not in found.peaks:
            found.peaks[size] = trial(size)
        above = candidates[at + 1] if at + 1 < len(candidates) else None
        if found.peaks[size] is None:
            at -= 1
        elif above is None or found.peaks.get(above, 0) is None:
            break
        else:
            at += 1
    return found
