"""A hole's outline as an SVG path along the edges of its pixels."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def outline(hole_HW: NDArray[np.bool_]) -> str:
    """Edges between hole and known (or the picture's end), exact, one stroke a straight run; unit: a pixel."""
    padded_HW = np.pad(hole_HW.astype(np.int8), 1)
    lying = [f"M{x} {y}h{n}" for y, x, n in _runs(np.diff(padded_HW, axis=0)[:, 1:-1])]
    standing = [f"M{x} {y}v{n}" for x, y, n in _runs(np.diff(padded_HW, axis=1)[1:-1].T)]
    return "".join(lying + standing)


def _runs(edges_LN: NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """(line, start, length) of every run of one sign."""
    ends_LN = np.diff(np.pad(edges_LN, ((0, 0), (1, 1))), axis=1) != 0
    found: list[tuple[int, int, int]] = []
    for line in np.flatnonzero(ends_LN.any(axis=1)):
        cuts = np.flatnonzero(ends_LN[line])
        found += [(int(line), int(a), int(b - a)) for a, b in pairwise(cuts) if edges_LN[line, a]]
    return found
