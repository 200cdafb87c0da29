"""Entries that differ in a few parameters alone: what a figure may put beside one another."""

from __future__ import annotations

import json
from collections.abc import Sequence

from stages.sampling.store import Samples


def groups(entries: Sequence[Samples], varied: Sequence[str]) -> list[list[Samples]]:
    """Entries of one method, two or more, whose parameters are equal but for `varied`."""
    found: dict[str, list[Samples]] = {}
    for samples in entries:
        params = samples.description["params"]
        if set(varied) <= set(params):
            kept = {key: value for key, value in params.items() if key not in varied}
            found.setdefault(json.dumps([samples.description["method"], kept], sort_keys=True), []).append(samples)
    return [alike for alike in found.values() if len(alike) > 1]
