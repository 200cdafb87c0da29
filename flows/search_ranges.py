"""What a search draws its points from: by key of params.yaml a range of numbers, or values to choose from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows import names
from flows.errors import InvalidRequest, nearest
from flows.sweep_keys import check_value

DIGITS = 4  # of a number that is drawn; ours: what a point's name can show, and finer than any score can tell apart
LEAST, MOST = -300, 2**53  # a power of ten that floats have; beyond the second not every whole number is one
TAKEN = ("low", "high", "log")


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both among them; whole ones where both are; uniform in the logarithm if `log`."""

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether its numbers are integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.low, self.high

    @property
    def count(self) -> int:
        """At least so many numbers can be drawn."""
        if self.is_whole:
            return int(self.high - self.low) + 1
        step = 10.0 ** max(LEAST, math.floor(math.log10(max(abs(self.low), abs(self.high)))) + 1 - DIGITS)
        return max(2, math.floor((self.high - self.low) / step))

    def rounded(self, number: float) -> float:
        """As a point has it."""
        if self.is_whole:
            return int(number)
        return float(min(max(float(f"{number:.{DIGITS}g}"), self.low), self.high))


Ranges = Mapping[str, Range | list[Any]]


def ranges_of(block: Any) -> dict[str, Range | list[Any]]:
    """The block `over`. InvalidRequest names the key and the mend."""
    if not isinstance(block, Mapping) or not block:
        raise InvalidRequest(f"sweep: search.over = {block!r}: give ranges or lists of values by key")
    return {key: _range(key, one) if isinstance(one, Mapping) else _choices(key, one) for key, one in block.items()}


def _choices(key: Any, values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) < 2:
        raise InvalidRequest(
            f"sweep: search.over.{key} = {values!r}: give {{low: ..., high: ...}}, or a list of two values or more"
        )
    for value in values:
        check_value(f"search.over.{key}", value)
    if len({names.of_value(value) for value in values}) < len(values):
        raise InvalidRequest(f"sweep: search.over.{key} = {values!r}: two of these read alike in a point's name")
    return values


def _range(key: Any, block: Mapping[str, Any]) -> Range:
    where = f"sweep: search.over.{key}"
    if extra := [word for word in block if word not in TAKEN]:
        raise InvalidRequest(f"{where} has {extra[0]}{nearest(str(extra[0]), TAKEN)}")
    low, high = (_number(f"{where}.{word}", block.get(word)) for word in TAKEN[:2])
    log = block.get("log", False)
    if not low < high:
        raise InvalidRequest(f"{where}: low = {low} is not below high = {high}")
    if not isinstance(log, bool):
        raise InvalidRequest(f"{where}.log = {log!r}: give true or false")
    if log and low <= 0:
        raise InvalidRequest(f"{where}: log needs low above 0, and it is {low}")
    return Range(low, high, log)


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST:
        raise InvalidRequest(f"{where} = {value!r}: give a number between -2^53 and 2^53")
    return value
