"""A sweep's points: values for keys of params.yaml and training seeds, from `sweeps.NAME` or the flow's form."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows import graph, names
from flows.errors import InvalidRequest, nearest
from flows.graph import Graph
from flows.search_spec import Search, searched_keys
from flows.sweep_keys import check_key, check_value

Value = bool | int | float | str | list[Any] | None
Overrides = dict[str, Value]
TAKEN = ("grid", "points", "methods", "seeds", "search")  # by a block of `sweeps`
MOST_SEEDS = 100  # trainings of a point; ours: more are a slip of the pen


@dataclass(frozen=True)
class SweepSpec:
    """Points by name (`alpha=0.25`), and the methods that each samples and scores.

    A `search` asks for its points as it is run; before, they are its probes, which read what all of them will.
    """

    name: str
    points: Mapping[str, Overrides]
    methods: tuple[str, ...]
    search: Search | None = None

    @property
    def targets(self) -> list[str]:
        """The stages that make a point's scores."""
        return graph.benchmarks(self.methods)


@dataclass(frozen=True)
class SweepRequest:
    """What the user gave; without grid, points and search, the sweep of that name in params.yaml, if there is one.

    `seeds`: so many trainings of each point, every trained part of its methods by the seeds 0, 1, ...
    """

    name: str
    grid: Mapping[str, Sequence[Value]] | None = None
    points: Sequence[Overrides] | None = None
    methods: Sequence[str] | None = None
    seeds: int | None = None
    search: Mapping[str, Any] | None = None

    def resolve(self, params: str, known: Graph) -> SweepSpec:
        """The sweep, checked against params.yaml's text and the stages.

        InvalidRequest: a name that is no folder's, an unknown key or method, a value that is none of params.yaml's.
        """
        names.check_sweep(self.name)
        values = _values(params)
        request = self if self.grid or self.points or self.search else self._named(values, _sweeps(values))
        if request.search is not None:
            return request._searched(values, graph.methods(known))
        overrides = [*_product(request.grid or {}), *_listed(request.points or [])]
        keys = list(dict.fromkeys(key for one in overrides for key in one))
        for key in keys:
            check_key(values, key)
        for key, value in (item for one in overrides for item in one.items()):
            check_value(key, value)
        methods = _methods(request.methods, keys, graph.methods(known))
        if request.seeds is None:
            return SweepSpec(self.name, names.by_name(overrides), methods)
        seeds = _seeds(values, methods, keys)
        trainings = [dict.fromkeys(seeds, seed) for seed in range(_count(request.seeds))]
        every = [{**one, **training} for one in overrides or [{}] for training in trainings]
        return SweepSpec(self.name, names.by_name(every, seeds), methods)

    def _searched(self, values: Mapping[str, Any], every: Sequence[str]) -> SweepSpec:
        """The sweep whose points a search asks for, one after the other."""
        beside = {"grid": self.grid, "points": self.points, "seeds": self.seeds}
        if also := [word for word, given in beside.items() if given is not None]:
            raise InvalidRequest(f"sweep: search and {also[0]}: a search asks for its points; leave one of both out")
        methods = _methods(self.methods, searched_keys(self.search), every)
        search = Search.of(self.search, values, methods)
        return SweepSpec(self.name, search.probes(), methods, search)

    def _named(self, values: Mapping[str, Any], named: Mapping[str, Any]) -> "SweepRequest":
        if self.name not in named and self.seeds is not None:
            return self
        if self.name not in named:
            raise InvalidRequest(f"params.yaml: no sweep sweeps.{self.name}{nearest(self.name, named)}")
        block = named[self.name]
        if not isinstance(block, Mapping):
            raise InvalidRequest(f"params.yaml: sweeps.{self.name} = {block!r}: give it grid, points or search")
        if extra := set(block) - set(TAKEN):
            told = f"params.yaml: sweeps.{self.name} has {', '.join(sorted(map(str, extra)))}"
            raise InvalidRequest(f"{told}; it takes {', '.join(TAKEN)}")
        methods, seeds = self.methods or block.get("methods"), self.seeds or block.get("seeds")
        found = SweepRequest(self.name, block.get("grid"), block.get("points"), methods, seeds, block.get("search"))
        if not (found.grid or found.points or found.seeds or found.search):
            raise InvalidRequest(
                f"params.yaml: sweeps.{self.name} has no point; give it a grid, points, seeds or a search"
            )
        return found


def _sweeps(values: Mapping[str, Any]) -> Mapping[str, Any]:
    named = values.get("sweeps") or {}
    if not isinstance(named, Mapping):
        raise InvalidRequest(f"params.yaml: sweeps = {named!r}: give it a block, a key a sweep")
    return named


def _count(seeds: Any) -> int:
    if not isinstance(seeds, int) or isinstance(seeds, bool) or not 2 <= seeds <= MOST_SEEDS:
        raise InvalidRequest(f"sweep: seeds = {seeds!r}: give how many trainings, from 2 to {MOST_SEEDS}")
    return seeds


def _seeds(values: Mapping[str, Any], methods: Sequence[str], keys: Sequence[str]) -> list[str]:
    """The key of each trained part's seed."""
    parts = ((name, part) for name in methods for part in _block(values, "methods", name))
    found = [
        f"methods.{name}.{part}.loop.seed"
        for name, part in parts
        if "seed" in _block(values, "methods", name, part, "loop")
    ]
    if not found:
        raise InvalidRequest(f"sweep: seeds: no part of {', '.join(methods)} is trained; leave seeds out")
    if twice := [key for key in found if key in keys]:
        raise InvalidRequest(f"sweep: seeds turns {twice[0]} too; leave one of both out")
    return found


def _values(params: str) -> Mapping[str, Any]:
    try:
        values = YAML(typ="safe").load(params)
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: a date of a 13th month
        raise InvalidRequest(f"params.yaml: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, Mapping):
        raise InvalidRequest("params.yaml: no keys with values in it; write one by `plurifill preset NAME`")
    return values


def _product(grid: Mapping[str, Sequence[Value]]) -> list[Overrides]:
    if not isinstance(grid, Mapping):
        raise InvalidRequest(f"sweep: grid = {grid!r}: give lists of values by key")
    for key, values in grid.items():
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            raise InvalidRequest(f"sweep: grid.{key} = {values!r}: give a list of values")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())] if grid else []


def _listed(points: Sequence[Overrides]) -> list[Overrides]:
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise InvalidRequest(f"sweep: points = {points!r}: give a list of points")
    for point in points:
        if not isinstance(point, Mapping) or not point:
            raise InvalidRequest(f"sweep: points: {point!r}: a point is values by key, one at least")
    return list(points)


def _block(values: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The block there; empty where there is none."""
    for name in names:
        values = values.get(name) or {}
        if not isinstance(values, Mapping):
            return {}
    return values


def _methods(asked: Sequence[str] | None, keys: Iterable[str], every: Sequence[str]) -> tuple[str, ...]:
    """Those asked for; else those that the keys belong to; else, where a key belongs to none, all."""
    if asked is not None and (isinstance(asked, str) or not isinstance(asked, Sequence)):
        raise InvalidRequest(f"sweep: methods = {asked!r}: give a list of names")
    for method in map(str, asked or ()):
        if method not in every:
            raise InvalidRequest(f"dvc.yaml: no stage {graph.BENCHMARK}{method}{nearest(method, every)}")
    if asked:
        return tuple(asked)
    parts = [key.split(".") for key in keys]
    if parts and all(part[0] == "methods" and part[1] in every for part in parts):
        return tuple(dict.fromkeys(part[1] for part in parts))
    return tuple(every)
