"""A search: over which values it draws points, how many, how, and by which score it judges them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from flows import names
from flows.errors import InvalidRequest, nearest
from flows.search_block import block as checked
from flows.search_block import count
from flows.search_ranges import Range, Ranges, ranges_of
from flows.search_stop import Stop
from flows.sweep_keys import check_key

METRICS = Path(__file__).resolve().parent.parent / "stages" / "metrics"
BETTER = re.compile(r'^BETTER\b[^=\n]*= "(lower|higher)"', re.MULTILINE)
WAYS = ("random", "tpe")
TAKEN = ("over", "points", "goal", "by", "seed", "together", "stop")
MOST_POINTS = 1000  # ours: more are a slip of the pen
TOGETHER = 4  # points that are asked for before any is scored; ours: the GPUs of one machine


@dataclass(frozen=True)
class Goal:
    """The score that is to be low or high: a metric under a protocol, of this method."""

    method: str
    protocol: str
    metric: str
    better: str


@dataclass(frozen=True)
class Search:
    """`points` of values `over` ranges, `together` at once, by random or by tpe, a function of `seed`; some of them
    are given up early where there is a `stop`.
    """

    over: Ranges
    points: int
    goal: Goal
    by: str
    seed: int
    together: int
    stop: Stop | None = None

    @classmethod
    def of(cls, block: Any, values: Mapping[str, Any], methods: Sequence[str]) -> "Search":
        """A block `search`, checked against params.yaml's values. InvalidRequest names the key and the mend."""
        block = checked("search", block, TAKEN, TAKEN[:3])
        over = ranges_of(block["over"])
        for key in over:
            check_key(values, key)
        points, by = count("points", block["points"], 1, MOST_POINTS), _way(block.get("by", WAYS[0]))
        _refuse_few(over, points)
        together = count("together", block.get("together", TOGETHER), 1, MOST_POINTS)
        waits = by == "tpe" or "stop" in block
        if "together" in block and not waits:
            raise InvalidRequest(
                "sweep: search.together: random points wait for nothing; leave it out, or by: tpe, or a stop"
            )
        goal = _goal(block["goal"], values, methods)
        stop = Stop.of(block["stop"], values, goal.method) if "stop" in block else None
        return cls(over, points, goal, by, _seed(block.get("seed", 0)), together if waits else points, stop)

    @property
    def told(self) -> dict[str, Any]:
        """As JSON has it: equal where the search is the same."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def probes(self) -> dict[str, dict[str, Any]]:
        """Points by name that differ from the first in one key each: what tells which stages read it."""
        ends = {key: one.ends if isinstance(one, Range) else (one[0], one[1]) for key, one in self.over.items()}
        first = {key: low for key, (low, _) in ends.items()}
        return names.by_name([first, *({**first, key: high} for key, (_, high) in ends.items())])


def searched_keys(block: Any) -> list[str]:
    """The keys that it turns, as far as it has them."""
    over = block.get("over") if isinstance(block, Mapping) else None
    return [str(key) for key in over] if isinstance(over, Mapping) else []


def _seed(value: Any) -> int:
    return count("seed", value, 0, 2**31 - 1)


def _way(value: Any) -> str:
    if value not in WAYS:
        raise InvalidRequest(f"sweep: search.by = {value!r}: give random or tpe")
    return cast(str, value)


def _refuse_few(over: Ranges, points: int) -> None:
    there = math.prod(one.count if isinstance(one, Range) else len(one) for one in over.values())
    if there < points:
        raise InvalidRequest(f"sweep: search.points = {points}, and there are {there}; give it fewer, or a grid of all")


def _goal(block: Any, values: Mapping[str, Any], methods: Sequence[str]) -> Goal:
    block = checked("search.goal", block, ("protocol", "metric"), ("protocol", "metric"))
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
