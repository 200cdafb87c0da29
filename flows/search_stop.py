"""Which points of a search are stopped early: by successive halving of the val curve of a part that they train.

Jamieson and Talwalkar 2016, in the asynchronous form of Li et al. 2020: a point is judged where it comes to so many
steps, not once all others have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from flows import search_block
from flows.errors import InvalidRequest, nearest

TAKEN = ("part", "curve", "after", "better", "factor")
BETTER = ("lower", "higher")
FACTOR, MOST_FACTOR = 3, 100  # of Hyperband's authors; ours


@dataclass(frozen=True)
class Stop:
    """At the part's first evaluation after `after` steps, after `factor` times as many, and so on but for its last: who
    is not among the best 1 / `factor` there, of itself and the points of all rounds before, by `curve`.
    """

    part: str
    curve: str  # a name that the part's evaluation has
    after: int
    better: str
    factor: int

    @classmethod
    def of(cls, given: Any, values: Mapping[str, Any], method: str) -> "Stop":
        """A block `search.stop`, checked against params.yaml's values. InvalidRequest names the key and the mend."""
        given = search_block.block("search.stop", given, TAKEN, TAKEN[:3])
        most = steps(values, method, _part(given["part"], values, method)) - 1
        better, curve = given.get("better", BETTER[0]), given["curve"]
        if better not in BETTER:
            raise InvalidRequest(f"sweep: search.stop.better = {better!r}: give lower or higher")
        if not isinstance(curve, str) or not curve:
            raise InvalidRequest(f"sweep: search.stop.curve = {curve!r}: give the name of a val curve, as lpips")
        after = search_block.count("stop.after", given["after"], 1, most)
        factor = search_block.count("stop.factor", given.get("factor", FACTOR), 2, MOST_FACTOR)
        return cls(given["part"], curve, after, better, factor)


def steps(values: Mapping[str, Any], method: str, part: str) -> int:
    """How many the part learns; 0 where `values` (params.yaml) tell of none."""
    found = _at(values, "methods", method, part, "loop", "steps")
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _part(name: Any, values: Mapping[str, Any], method: str) -> str:
    parts = [part for part in _at(values, "methods", method) or () if steps(values, method, part) > 1]
    if name not in parts:
        raise InvalidRequest(
            f"params.yaml: no methods.{method}.{name}.loop.steps over 1 (search.stop.part){nearest(str(name), parts)}"
        )
    return str(name)


def _at(values: Any, *words: str) -> Any:
    return reduce(lambda block, word: block.get(word) if isinstance(block, Mapping) else None, words, values)
