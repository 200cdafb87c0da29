"""What sweeps and points are called: fit for files, folders, git's references and a command's words at once."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flows.errors import InvalidRequest

# `<sweep>.<point>.lock`, `<sweep>-<point>.lock` and `.<point>.summary.parquet.<pid>` are files: 255 bytes at most
SWEEP_MAX, POINT_MAX = 48, 200
SWEEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*")
POINT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+=,-]*(\.[A-Za-z0-9_+=,-]+)*")
FILES = (".json", ".lock")  # what lies beside a sweep's folders ends so; git takes no reference that ends on the second


def check_sweep(name: str) -> None:
    """InvalidRequest where it cannot be a sweep's name: a folder of that name is made and, `anew`, removed."""
    if name.endswith(FILES) or not _fits(name, SWEEP, SWEEP_MAX):
        other = re.sub(r"\.(?=json$|lock$)", "-", _fit(name))[:SWEEP_MAX]
        mend = f"; {other} would do" if _fits(other, SWEEP, SWEEP_MAX) else ""
        raise InvalidRequest(
            f"sweep: name = {name!r}: give 1 to {SWEEP_MAX} letters, digits, _, + or -, and . between them{mend}"
        )


def check_point(name: str) -> None:
    """InvalidRequest where `by_name` calls no point so: what is made of a point has its name."""
    if not _fits(name, POINT, POINT_MAX):
        raise InvalidRequest(f"sweep: point = {name!r}: no point's name; the sweep itself asks for its points")


def by_name(points: Sequence[Mapping[str, Any]], seeds: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Each by its keys' last words and its values (`alpha=0.25`): by a digest too where another reads alike, and, cut,
    where that is too long. The keys `seeds`, which have one value, are one word (`alpha=0.25,seed=1`). InvalidRequest
    where two are the same.
    """
    keys = dict.fromkeys(key for point in points for key in point if key not in seeds)
    short = _short(list(keys)) | dict.fromkeys(seeds, "seed")
    texts = [_text(point, short) for point in points]
    found: dict[str, dict[str, Any]] = {}
    digests: set[str] = set()
    for text, times, point in zip(texts, map(Counter(texts).__getitem__, texts), points, strict=True):
        digest = hashlib.sha256(json.dumps(point, sort_keys=True).encode()).hexdigest()[:8]
        if digest in digests:
            raise InvalidRequest(f"sweep: two points are {text}")
        digests.add(digest)
        is_alone = times == 1 and len(text) <= POINT_MAX
        found[text if is_alone else f"{text[: POINT_MAX - 9]}-{digest}"] = dict(point)
    return found


def of_value(value: Any) -> str:
    """As a point's name has it; other values may read alike."""
    return _fit(_shown(value))


def _text(point: Mapping[str, Any], short: Mapping[str, str]) -> str:
    words = dict.fromkeys(f"{_fit(short[key])}={of_value(value)}" for key, value in point.items())
    text = ",".join(words)
    return re.sub(r"^[^A-Za-z0-9_]", "_", text)  # no option, no hidden file


def _short(keys: Sequence[str]) -> dict[str, str]:
    """Every key by as many of its last words as tell it from the others."""
    names = {}
    for key in keys:
        words = key.split(".")
        ends = (".".join(words[-n:]) for n in range(1, len(words) + 1))
        names[key] = next(e for e in ends if sum(o == e or o.endswith(f".{e}") for o in keys) == 1 or e == key)
    return names


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(_shown, value)) or "empty"
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _fit(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]|\.(?=\.|$|lock$)", "-", text)


def _fits(name: str, pattern: re.Pattern[str], longest: int) -> bool:
    return len(name) <= longest and pattern.fullmatch(name) is not None
