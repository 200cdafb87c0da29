"""Files that are there whole or not at all, whenever the process is killed."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any


def write(path: Path, content: Callable[[Path], object]) -> None:
    """`content` writes a file beside `path`, which then takes its place."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    content(part)
    part.replace(path)


def write_text(path: Path, text: str) -> None:
    """Text as a file."""
    write(path, lambda part: part.write_text(text))


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Plain values as a JSON file."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def link_all(paths: Iterable[Path], folder: Path) -> None:
    """A new folder of these files, by links where the file system has them."""
    folder.mkdir()
    for path in paths:
        link(path, folder / path.name)


def link(old: str | Path, new: str | Path) -> None:
    """The file under another name too; a copy on a file system without hard links, or from one to another."""
    try:
        Path(new).hardlink_to(old)
    except OSError:
        shutil.copy2(old, new)
