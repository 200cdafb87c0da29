"""What the points of a sweep have to compute, by digests of work: which wait for others, which would be the same."""

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from ruamel.yaml import YAML

from flows import graph, overrides
from flows.errors import InvalidRequest
from flows.results import Results
from flows.sweep_spec import Overrides, SweepSpec


def needed(root: Path, spec: SweepSpec) -> dict[str, list[str]]:
    """Point -> the digests of all that makes its scores, parents first.

    InvalidRequest: values that dvc.yaml cannot be read with, a key that nothing of this reads.
    """
    pipeline, params = (root / "dvc.yaml").read_text(), (root / "params.yaml").read_text()
    found: dict[str, list[str]] = {}
    for name, point in spec.points.items():
        try:
            own = graph.parse(pipeline, overrides.overridden(params, point))
        except DvcException as error:
            raise InvalidRequest(f"sweep: {name}: dvc.yaml cannot take it: {' '.join(str(error).split())}") from error
        digests = graph.digests(own)
        found[name] = [digests[one] for one in graph.ancestors(own, spec.targets)]
    _refuse_unread(spec, YAML(typ="safe").load(params), found)
    return found


def _refuse_unread(spec: SweepSpec, values: Any, work: Mapping[str, list[str]]) -> None:
    first: dict[tuple[str, ...], str] = {}
    for name, digests in work.items():
        other = first.setdefault(tuple(digests), name)
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


def order(root: Path, work: Mapping[str, list[str]], results: Results) -> dict[str, list[str]]:
    """Unfinished point -> those that it waits for, in the order in which they are begun."""
    known = graph.read(root)
    stale = graph.stale(known, root)
    made = {digest for name, digest in graph.digests(known).items() if name not in stale}
    made.update(digest for name, digests in work.items() if results.is_finished(name) for digest in digests)
    return schedule({name: own for name, own in work.items() if not results.is_finished(name)}, made)


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
