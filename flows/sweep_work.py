"""What the points of a sweep have to compute, and what of params.yaml decides that."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from ruamel.yaml import YAML

from flows import graph, overrides
from flows.errors import InvalidRequest
from flows.sweep_spec import Overrides, SweepSpec

ABSENT = "none"  # said of a key that is not there


@dataclass(frozen=True)
class Work:
    """All that makes a point's scores: the stages by the digests of their work, parents first, and what these read;
    the point's whole graph.
    """

    digests: Mapping[str, str]
    reads: Mapping[str, Any]
    known: graph.Graph


def needed(root: Path, spec: SweepSpec) -> dict[str, Work]:
    """The work of every point.

    InvalidRequest: values that dvc.yaml cannot be read with, a key that nothing of this reads.
    """
    pipeline, params = (root / "dvc.yaml").read_text(), (root / "params.yaml").read_text()
    found = {name: _work(spec, name, pipeline, params) for name in spec.points}
    _refuse_unread(spec, YAML(typ="safe").load(params), found)
    return found


def changed(spec: SweepSpec, work: Mapping[str, Work], pipeline: str, params: str) -> list[str]:
    """Where `work` reads what those texts of dvc.yaml and params.yaml have otherwise: a few words for every key."""
    found: dict[str, str] = {}
    for name, now in work.items():
        then = _work(spec, name, pipeline, params).reads
        for key in {**then, **now.reads}:
            if (was := _shown(then, key)) != (own := _shown(now.reads, key)):
                found[key] = f"{key} ({was}, now {own})"
    return list(found.values())


def _work(spec: SweepSpec, name: str, pipeline: str, params: str) -> Work:
    try:
        own = graph.parse(pipeline, overrides.overridden(params, spec.points[name]))
    except DvcException as error:
        raise InvalidRequest(f"sweep: {name}: dvc.yaml cannot take it: {' '.join(str(error).split())}") from error
    stages, digests = graph.ancestors(own, spec.targets), graph.digests(own)
    return Work({digests[stage]: stage for stage in stages}, dict(_reads(own, stages)), own)


def _reads(known: graph.Graph, stages: list[str]) -> Iterator[tuple[str, Any]]:
    """The values of params.yaml by dotted key, and the commands, into which dvc.yaml writes such values."""
    for stage in stages:
        command, blocks = json.loads(known[stage].settings)
        yield f"{stage}'s command", command
        for key, value in (item for block in blocks for item in block.items()):
            yield from _leaves(key, value)


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for word, inner in value.items():
            yield from _leaves(f"{key}.{word}", inner)
    else:
        yield key, value


def _shown(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else ABSENT


def _refuse_unread(spec: SweepSpec, values: Any, work: Mapping[str, Work]) -> None:
    first: dict[tuple[str, ...], str] = {}
    for name, own in work.items():
        other = first.setdefault(tuple(own.digests), name)
        both = [spec.points[one] for one in (other, name)]
        unread = [key for key in both[0] | both[1] if len({_set(values, point, key) for point in both}) > 1]
        if unread:
            raise InvalidRequest(
                f"sweep: {', '.join(unread)}: nothing behind the scores of {', '.join(spec.methods)} reads it, so that "
                f"{other} and {name} would be the same; name the methods that do (methods), or leave it out"
            )


def _set(values: Any, point: Overrides, key: str) -> str:
    """What a key is at a point: its own value, or params.yaml's."""
    return json.dumps(point[key] if key in point else reduce(lambda block, word: block[word], key.split("."), values))
