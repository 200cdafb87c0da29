"""A sweep's points: values for keys of params.yaml and training seeds, from `sweeps.NAME` or the flow's form."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows import graph, names
from flows.errors import InvalidRequest, nearest
from flows.graph import Graph

Value = bool | int | float | str | list[Any] | None
Overrides = dict[str, Value]
MOST_SEEDS = 100  # trainings of a point; ours: more are a slip of the pen


@dataclass(frozen=True)
class SweepSpec:
    """Points by name (`alpha=0.25`), and the methods that each samples and scores."""

    name: str
    points: Mapping[str, Overrides]
    methods: tuple[str, ...]

    @property
    def targets(self) -> list[str]:
        """The stages that make a point's scores."""
        return graph.benchmarks(self.methods)


@dataclass(frozen=True)
class SweepRequest:
    """What the user gave; without grid and points, the sweep of that name in params.yaml, if there is one.

    `seeds`: so many trainings of each point, every trained part of its methods by the seeds 0, 1, ...
    """

    name: str
    grid: Mapping[str, Sequence[Value]] | None = None
    points: Sequence[Overrides] | None = None
    methods: Sequence[str] | None = None
    seeds: int | None = None

    def resolve(self, params: str, known: Graph) -> SweepSpec:
        """The sweep, checked against params.yaml's text and the stages.

        InvalidRequest: a name that is no folder's, an unknown key or method, a value that is none of params.yaml's.
        """
        names.check_sweep(self.name)
        values = _values(params)
        request = self if self.grid or self.points else self._named(values, _sweeps(values))
        overrides = [*_product(request.grid or {}), *_listed(request.points or [])]
        keys = list(dict.fromkeys(key for one in overrides for key in one))
        for key in keys:
            _check_key(values, key)
        for key, value in (item for one in overrides for item in one.items()):
            _check_value(key, value)
        methods = _methods(request.methods, keys, graph.methods(known))
        if request.seeds is None:
            return SweepSpec(self.name, names.by_name(overrides), methods)
        seeds = _seeds(values, methods, keys)
        trainings = [dict.fromkeys(seeds, seed) for seed in range(_count(request.seeds))]
        every = [{**one, **training} for one in overrides or [{}] for training in trainings]
        return SweepSpec(self.name, names.by_name(every, seeds), methods)

    def _named(self, values: Mapping[str, Any], named: Mapping[str, Any]) -> "SweepRequest":
        if self.name not in named and self.seeds is not None:
            return self
        if self.name not in named:
            raise InvalidRequest(f"params.yaml: no sweep sweeps.{self.name}{nearest(self.name, named)}")
        block = named[self.name]
        if not isinstance(block, Mapping):
            raise InvalidRequest(f"params.yaml: sweeps.{self.name} = {block!r}: give it grid or points")
        if extra := set(block) - {"grid", "points", "methods", "seeds"}:
            told = f"params.yaml: sweeps.{self.name} has {', '.join(sorted(map(str, extra)))}"
            raise InvalidRequest(f"{told}; it takes grid, points, methods, seeds")
        methods, seeds = self.methods or block.get("methods"), self.seeds or block.get("seeds")
        found = SweepRequest(self.name, block.get("grid"), block.get("points"), methods, seeds)
        if not (found.grid or found.points or found.seeds):
            raise InvalidRequest(f"params.yaml: sweeps.{self.name} has no point; give it a grid, points or seeds")
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


def _check_key(values: Any, key: Any) -> None:
    if not isinstance(key, str):
        raise InvalidRequest(f"sweep: key {key!r}: write a key of params.yaml as text, in quotes where need be")
    block = values
    for part in key.split("."):
        if not isinstance(block, Mapping) or part not in block:
            raise InvalidRequest(
                f"params.yaml: no key {key}{nearest(part, block if isinstance(block, Mapping) else ())}"
            )
        block = block[part]
    if isinstance(block, Mapping):
        raise InvalidRequest(
            f"params.yaml: {key} is a block; a sweep turns single values, e.g. {key}.{next(iter(block), 'x')}"
        )


def _check_value(key: str, value: Any) -> None:
    """What both YAML and JSON, by which it travels to a worker, can tell."""
    for one in value if isinstance(value, list) else ():
        _check_value(key, one)
    is_number = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    if not (value is None or is_number or isinstance(value, str | list)):
        raise InvalidRequest(
            f"sweep: {key} has a point with {value!r}: give finite numbers, texts, true, false, null or lists of these"
        )


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
