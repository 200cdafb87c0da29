"""A search: over which values it draws points, how many, how, and by which score it judges them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from flows import names
from flows.errors import InvalidRequest, nearest
from flows.search_ranges import Range, Ranges, ranges_of
from flows.sweep_keys import check_key

METRICS = Path(__file__).resolve().parent.parent / "stages" / "metrics"
BETTER = re.compile(r'^BETTER\b[^=\n]*= "(lower|higher)"', re.MULTILINE)
WAYS = ("random", "tpe")
TAKEN = ("over", "points", "goal", "by", "seed", "together")
MOST_POINTS = 1000  # ours: more are a slip of the pen
TOGETHER = 4  # points that tpe asks for before it hears of scores; ours: the GPUs of one machine


@dataclass(frozen=True)
class Goal:
    """The score that is to be low or high: a metric under a protocol, of this method."""

    method: str
    protocol: str
    metric: str
    better: str


@dataclass(frozen=True)
class Search:
    """`points` of values `over` ranges, `together` at once, by random or by tpe, a function of `seed`."""

    over: Ranges
    points: int
    goal: Goal
    by: str
    seed: int
    together: int

    @classmethod
    def of(cls, block: Any, values: Mapping[str, Any], methods: Sequence[str]) -> "Search":
        """A block `search`, checked against params.yaml's values. InvalidRequest names the key and the mend."""
        block = _block("search", block, TAKEN, TAKEN[:3])
        over = ranges_of(block["over"])
        for key in over:
            check_key(values, key)
        points, by = _count("points", block["points"], 1, MOST_POINTS), _way(block.get("by", WAYS[0]))
        _refuse_few(over, points)
        together = _count("together", block.get("together", TOGETHER), 1, MOST_POINTS)
        if by == "random" and "together" in block:
            raise InvalidRequest("sweep: search.together: random points wait for no scores; leave it out, or by: tpe")
        goal = _goal(block["goal"], values, methods)
        return cls(over, points, goal, by, _seed(block.get("seed", 0)), points if by == "random" else together)

    @property
    def told(self) -> dict[str, Any]:
        """As JSON has it: equal where the search is the same."""
        return asdict(self)

    def probes(self) -> dict[str, dict[str, Any]]:
        """Points by name that differ from the first in one key each: what tells which stages read it."""
        ends = {key: one.ends if isinstance(one, Range) else (one[0], one[1]) for key, one in self.over.items()}
        first = {key: low for key, (low, _) in ends.items()}
        return names.by_name([first, *({**first, key: high} for key, (_, high) in ends.items())])


def searched_keys(block: Any) -> list[str]:
    """The keys that it turns, as far as it has them."""
    over = block.get("over") if isinstance(block, Mapping) else None
    return [str(key) for key in over] if isinstance(over, Mapping) else []


def _block(name: str, block: Any, taken: Sequence[str], needed: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(block, Mapping):
        raise InvalidRequest(f"sweep: {name} = {block!r}: give it {', '.join(needed)}")
    if extra := [key for key in block if key not in taken]:
        raise InvalidRequest(f"sweep: {name} has {extra[0]}{nearest(str(extra[0]), taken)}")
    if missing := [key for key in needed if key not in block]:
        raise InvalidRequest(f"sweep: {name} has no {missing[0]}; give it {', '.join(needed)}")
    return block


def _count(name: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"sweep: search.{name} = {value!r}: give a whole number from {least} to {most}")
    return value


def _seed(value: Any) -> int:
    return _count("seed", value, 0, 2**31 - 1)


def _way(value: Any) -> str:
    if value not in WAYS:
        raise InvalidRequest(f"sweep: search.by = {value!r}: give random or tpe")
    return cast(str, value)


def _refuse_few(over: Ranges, points: int) -> None:
    there = math.prod(one.count if isinstance(one, Range) else len(one) for one in over.values())
    if there < points:
        raise InvalidRequest(f"sweep: search.points = {points}, and there are {there}; give it fewer, or a grid of all")


def _goal(block: Any, values: Mapping[str, Any], methods: Sequence[str]) -> Goal:
    block = _block("search.goal", block, ("protocol", "metric"), ("protocol", "metric"))
    if len(methods) != 1:
        raise InvalidRequest(f"sweep: search.goal is one method's score; name one of {', '.join(methods)} (methods)")
    protocols = values.get("protocols")
    protocols = protocols if isinstance(protocols, Mapping) else {}
    protocol, metric = block["protocol"], block["metric"]
    if protocol not in list(protocols):
        near = nearest(str(protocol), map(str, protocols))
        raise InvalidRequest(f"params.yaml: no protocol {protocol} (search.goal){near}")
    own = protocols[protocol].get("metrics") if isinstance(protocols[protocol], Mapping) else None
    metrics = list(map(str, own)) if isinstance(own, list) else []
    if metric not in metrics:
        near = nearest(str(metric), metrics)
        raise InvalidRequest(f"params.yaml: protocols.{protocol} has no metric {metric} (search.goal){near}")
    return Goal(methods[0], str(protocol), metric, _better(metric))


def _better(metric: str) -> str:
    """BETTER of the file whose name is the metric's first words; read, and not run: flows import no stage code."""
    words = metric.split("_")
    starts = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    file = next((path for start in starts if (path := METRICS / f"{start}.py").is_file()), None)
    found = BETTER.search(file.read_text()) if file else None
    if found is None:
        raise InvalidRequest(
            f"sweep: search.goal.metric = {metric}: neither low nor high is better there; name another"
        )
    return found[1]
