"""Which keys of params.yaml a sweep can turn, and to which values."""

import math
from collections.abc import Mapping
from typing import Any

from flows.errors import InvalidRequest, nearest


def check_key(values: Any, key: Any) -> None:
    """InvalidRequest unless params.yaml's `values` have a single value there."""
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


def check_value(key: str, value: Any) -> None:
    """InvalidRequest unless both YAML and JSON, by which it travels to a worker, can tell it."""
    for one in value if isinstance(value, list) else ():
        check_value(key, one)
    is_number = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    if not (value is None or is_number or isinstance(value, str | list)):
        raise InvalidRequest(
            f"sweep: {key} has a point with {value!r}: give finite numbers, texts, true, false, null or lists of these"
        )
