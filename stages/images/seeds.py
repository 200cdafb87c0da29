"""Random generators that depend on what they are for, and on nothing else."""

import hashlib

import numpy as np


def generator(seed: int, *path: int | str) -> np.random.Generator:
    """A generator for (seed, path), e.g. (seed, "masks", key); other paths give independent streams."""
    return np.random.default_rng([seed, *(part if isinstance(part, int) else number(part) for part in path)])


def number(text: str) -> int:
    """A name as 64 bits."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
