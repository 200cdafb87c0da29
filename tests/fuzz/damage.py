"""Seeded damage: what a disk, a transfer or a spiteful hand does to bytes, and to plain values."""

import copy
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

PLACES = 1 << 16  # a place in a file is a share of its length, so that damage shrinks with the file
SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = st.sampled_from(
    ["", " ", "../../x", "/etc/passwd", "a\nb", "<script>alert(1)</script>", "'\"&", "--help", "é写", "\x00", "x" * 300]
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 7, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")]),
    TEXTS,
    st.text(max_size=8),
    st.sampled_from([[], {}, [None], {"": 1}, [[1]], {"a": {"b": []}}]),
)
Path = tuple[Any, ...]


@st.composite
def damaged(draw: st.DrawFn, corpus: Sequence[bytes], least: int = 1, most: int = 3) -> bytes:
    """One of `corpus`, damaged in some places."""
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(least, most))):
        data = _edited(
            data, draw(st.sampled_from(["cut", "flip", "set", "drop", "insert", "again", "zero"])), draw(EDIT)
        )
    return data


EDIT = st.tuples(st.integers(0, PLACES - 1), st.integers(0, 255), st.integers(1, 64))


def _edited(data: bytes, kind: str, edit: tuple[int, int, int]) -> bytes:
    place, value, length = edit[0] * len(data) // PLACES, edit[1], edit[2]
    before, after = data[:place], data[place:]
    match kind:
        case "cut":
            return before
        case "flip":
            return before + bytes([after[0] ^ (1 << value % 8)]) + after[1:] if after else before
        case "set":
            return before + bytes([value]) + after[1:]
        case "drop":
            return before + after[length:]
        case "insert":
            return before + bytes([value]) * length + after
        case "again":
            return before + after[:length] * 2 + after[length:]
        case _:
            return before + bytes(min(length, len(after))) + after[length:]


def with_sums(png: bytes) -> bytes:
    """A damaged PNG whose chunks bear right checksums again: what is behind them is reached."""
    data, place = png[:8], 8
    while place + 12 <= len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        named = png[place + 4 : place + 8 + length]
        data += struct.pack(">I", max(len(named) - 4, 0)) + named + struct.pack(">I", zlib.crc32(named))
        place += 12 + length
    return data


@st.composite
def altered(draw: st.DrawFn, values: Any, odd: SearchStrategy[Any] = ODD) -> tuple[Any, Path, str]:
    """Plain values with one place altered, which place, and how: set, removed, or a key of no meaning added."""
    places = list(_places(values))
    place = draw(st.sampled_from(places))
    how = draw(st.sampled_from(["set", "removed", "added"])) if place else "added"
    changed = copy.deepcopy(values)
    block = changed
    for key in place[:-1]:
        block = block[key]
    if how == "set":
        block[place[-1]] = draw(odd)
    elif how == "removed":
        del block[place[-1]]
    else:
        block = block[place[-1]] if place and isinstance(block[place[-1]], dict) else block
        if not isinstance(block, dict):
            return changed, place, "nothing"
        block["of_no_meaning"] = draw(odd)
    return changed, place, how


def _places(values: Any, at: Path = ()) -> Any:
    yield at
    own = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in own:
        yield from _places(value, (*at, key))
