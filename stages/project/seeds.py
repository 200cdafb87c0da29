"""Randomness as a pure function of (seed, place): nothing is carried from one step to the next.

Every step sets torch's generators anew, so a run that stopped and went on draws what an undisturbed one draws. Data
(masks, crops, orders, splits) has numpy generators of its own.
"""

import hashlib

import numpy as np
import torch


def derive(seed: int, *place: int | str) -> int:
    """A 63-bit seed for one place of a run, such as (step, rank); unlike places give unrelated seeds."""
    text = "/".join(map(str, (seed, *place)))
    return int.from_bytes(_digest(text), "little") >> 1


def seed_all(seed: int, *place: int | str) -> None:
    """Set torch's generators of all devices for that place (parts draw from torch alone)."""
    torch.manual_seed(derive(seed, *place))


def generator(seed: int, *place: int | str) -> np.random.Generator:
    """A numpy generator for (seed, place), e.g. (seed, "masks", key); other places give independent streams."""
    return np.random.default_rng([seed, *(part if isinstance(part, int) else number(part) for part in place)])


def number(text: str) -> int:
    """A name as 64 bits."""
    return int.from_bytes(_digest(text), "big")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:8]
