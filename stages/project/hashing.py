"""Digests: of files, of configurations."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SHOWN = 16  # hex digits: enough for a folder's name


def of_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder, by its path in there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): of_file(path) for path in files}


def of_values(values: Mapping[str, Any]) -> str:
    """The first 16 hex digits of sha256 of plain values, whatever the order of keys."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:SHOWN]
