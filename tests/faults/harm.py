"""Harm to a file that was whole."""

import random
from pathlib import Path


def flip(path: Path, draw: random.Random) -> None:
    """Another bit, in a file of its own: what was linked to it stays as it was."""
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.unlink()
    path.write_bytes(data)


def truncate(path: Path, draw: random.Random) -> None:
    """The file ends early."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: draw.randrange(len(data))])
