"""Randomness as a pure function of (seed, place): nothing is carried from one step to the next.

Every step sets torch's generators anew, so a run that stopped and went on draws what an undisturbed one draws. Data
(masks, crops, orders, splits) has numpy generators of its own.
"""

import hashlib

import numpy as np
import torch

from stages.contract import UserError

LARGEST = 2**63 - 1  # torch's seeds are int64


def several(seed: int, count: int) -> tuple[int, ...]:
    """seed, seed + 1, ...: so many; UserError unless all are from 0 to 2^63 - 1."""
    if seed < 0 or count < 1 or seed + count - 1 > LARGEST:
        raise UserError(f"{count} seeds from {seed} on: take one at least, each from 0 to {LARGEST} (2^63 - 1)")
    return tuple(range(seed, seed + count))


def derive(seed: int, *place: int | str) -> int:
    """A 63-bit seed for one place of a run, such as (step, rank); unlike places give unrelated seeds."""
    text = "/".join(map(str, (seed, *place)))
    return int.from_bytes(_digest(text), "little") >> 1


def seed_all(seed: int, *place: int | str) -> None:
    """Set torch's generators of all devices for that place (parts draw from torch alone)."""
    torch.manual_seed(derive(seed, *place))


def generator(seed: int, *place: int | str) -> np.random.Generator:
    """A numpy generator for (seed, place), e.g. (seed, "masks", key); other places give independent streams.

    UserError for a seed below 0: a dataset's, say.
    """
    if seed < 0:
        raise UserError(f"params: a seed is {seed}; give a whole number from 0 on")
    return np.random.default_rng([seed, *(part if isinstance(part, int) else number(part) for part in place)])


def number(text: str) -> int:
    """A name as 64 bits."""
    return int.from_bytes(_digest(text), "big")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:8]
