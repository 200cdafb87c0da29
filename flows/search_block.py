"""Values of a search's block, checked one by one: InvalidRequest names the key and the mend."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.errors import InvalidRequest, nearest


def block(name: str, given: Any, taken: Sequence[str], needed: Sequence[str]) -> Mapping[str, Any]:
    """A block with keys of `taken`, all of `needed` among them."""
    if not isinstance(given, Mapping):
        raise InvalidRequest(f"sweep: {name} = {given!r}: give it {', '.join(needed)}")
    if extra := [key for key in given if key not in taken]:
        raise InvalidRequest(f"sweep: {name} has {extra[0]}{nearest(str(extra[0]), taken)}")
    if missing := [key for key in needed if key not in given]:
        raise InvalidRequest(f"sweep: {name} has no {missing[0]}; give it {', '.join(needed)}")
    return given


def count(name: str, value: Any, least: int, most: int) -> int:
    """A whole number within these."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"sweep: search.{name} = {value!r}: give a whole number from {least} to {most}")
    return value
