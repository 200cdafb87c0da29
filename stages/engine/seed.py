"""Randomness as a pure function of (seed, place): nothing is carried from one step to the next.

Every step sets torch's generators anew, so a run that stopped and went on draws what an undisturbed one draws.
"""

import hashlib

import torch


def derive(seed: int, *place: int | str) -> int:
    """A 63-bit seed for one place of a run, such as (step, rank); unlike places give unrelated seeds."""
    text = "/".join(map(str, (seed, *place)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def seed_all(seed: int, *place: int | str) -> None:
    """Set torch's generators of all devices for that place (parts draw from torch alone)."""
    torch.manual_seed(derive(seed, *place))
