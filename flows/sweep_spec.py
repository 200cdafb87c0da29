"""A sweep's points: a grid or a list of values for keys of params.yaml, from `sweeps.NAME` or the flow's form."""

import io
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from flows import graph
from flows.errors import InvalidRequest, nearest
from flows.graph import Graph

Value = bool | int | float | str
Overrides = dict[str, Value]


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
    """What the user gave; without grid and points, the sweep of that name in params.yaml."""

    name: str
    grid: Mapping[str, Sequence[Value]] | None = None
    points: Sequence[Overrides] | None = None
    methods: Sequence[str] | None = None

    def resolve(self, params: str, known: Graph) -> SweepSpec:
        """The sweep, checked against params.yaml's text and the stages. InvalidRequest: an unknown key or method."""
        values = YAML(typ="safe").load(params)
        request = self if self.grid or self.points else self._named(values)
        overrides = [*_product(request.grid or {}), *(request.points or ())]
        keys = list(dict.fromkeys(key for one in overrides for key in one))
        for key in keys:
            _check_key(values, key)
        methods = _methods(request.methods, keys, graph.methods(known))
        return SweepSpec(_safe(self.name), _by_name(overrides, keys), methods)

    def _named(self, values: Mapping[str, Any]) -> "SweepRequest":
        named = values.get("sweeps") or {}
        if self.name not in named:
            raise InvalidRequest(f"params.yaml: no sweep sweeps.{self.name}{nearest(self.name, named)}")
        block = dict(named[self.name])
        if extra := set(block) - {"grid", "points", "methods"}:
            raise InvalidRequest(
                f"params.yaml: sweeps.{self.name} has {', '.join(sorted(extra))}; it takes grid, points, methods"
            )
        found = SweepRequest(self.name, block.get("grid"), block.get("points"), self.methods or block.get("methods"))
        if not (found.grid or found.points):
            raise InvalidRequest(f"params.yaml: sweeps.{self.name} has no point; give it a grid or points")
        return found


def _product(grid: Mapping[str, Sequence[Value]]) -> list[Overrides]:
    for key, values in grid.items():
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            raise InvalidRequest(f"sweep: grid.{key} = {values!r}: give a list of values")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())] if grid else []


def _check_key(values: Any, key: str) -> None:
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


def _methods(asked: Sequence[str] | None, keys: Iterable[str], every: Sequence[str]) -> tuple[str, ...]:
    """Those asked for; else those that the keys belong to; else, where a key belongs to none, all."""
    for method in asked or ():
        if method not in every:
            raise InvalidRequest(f"dvc.yaml: no stage {graph.BENCHMARK}{method}{nearest(method, every)}")
    if asked:
        return tuple(asked)
    parts = [key.split(".") for key in keys]
    if all(part[0] == "methods" and part[1] in every for part in parts):
        return tuple(dict.fromkeys(part[1] for part in parts))
    return tuple(every)


def _by_name(overrides: Sequence[Overrides], keys: Sequence[str]) -> dict[str, Overrides]:
    short = _short(keys)
    points: dict[str, Overrides] = {}
    for one in overrides:
        name = ",".join(f"{short[key]}={_safe(_shown(value))}" for key, value in one.items())
        if name in points:
            raise InvalidRequest(f"sweep: two points are {name}")
        points[name] = one
    return points


def _short(keys: Sequence[str]) -> dict[str, str]:
    """Every key by as many of its last words as tell it from the others."""
    names = {}
    for key in keys:
        words = key.split(".")
        ends = (".".join(words[-n:]) for n in range(1, len(words) + 1))
        names[key] = next(e for e in ends if sum(o == e or o.endswith(f".{e}") for o in keys) == 1 or e == key)
    return names


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _safe(text: str) -> str:
    """Fit for a file's and an experiment's name."""
    return re.sub(r"[^A-Za-z0-9_.+-]|\.(?=\.|$)", "-", text)


def overridden(params: str, overrides: Overrides) -> str:
    """The text of params.yaml with other values; its comments and lines stay."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 1 << 16
    document = yaml.load(params)
    for key, value in overrides.items():
        *parents, leaf = key.split(".")
        block = document
        for parent in parents:
            block = block[parent]
        block[leaf] = value
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def schedule(digests: Mapping[str, Sequence[str]], made: set[str]) -> dict[str, list[str]]:
    """Point -> the points to wait for, so that nothing is computed twice; makers of what others need come first.

    `digests`: point -> those of the work it needs (see graph.digests); `made`: what is there already. Each piece of
    work is made by the first point that needs it, and the others wait for that one.
    """
    maker: dict[str, str] = {}
    for point, work in digests.items():
        for digest in work:
            maker.setdefault(digest, point)
    found = {
        point: list(dict.fromkeys(maker[one] for one in work if one not in made and maker[one] != point))
        for point, work in digests.items()
    }
    makers = {other for others in found.values() for other in others}
    return dict(sorted(found.items(), key=lambda item: item[0] not in makers))
