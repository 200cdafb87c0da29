"""Files and folders that are there whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import glob
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from stages.contract import UserError
from stages.project import locks

PATIENCE_S = 20.0  # for another process that writes the same folder


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place at the end, if nothing was raised."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    part = path.with_name(f".{os.getpid()}.{path.name}")  # hidden, and of the same ending
    try:
        with naming(path):
            yield part
            sync(part)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path, of: str = "") -> Iterator[Path]:
    """An empty folder beside `folder` to fill; it takes `folder`'s place at the end, if nothing was raised.

    One process at a time: UserError where another one does not end in PATIENCE_S. With `of`, a digest of what is to be
    written, it is not empty but as a process has left it that wrote the same and was killed, or asked to stop.
    """
    with _alone(folder, of) as (part, old):
        part.mkdir(exist_ok=True)
        with naming(folder):
            yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def clear(folder: Path) -> None:
    """Remove what a process that was killed left beside `folder` when it wrote that."""
    with _alone(folder):
        pass


@contextmanager
def _alone(folder: Path, of: str = "") -> Iterator[tuple[Path, Path]]:
    """Where `folder` is written and where it goes meanwhile: beside it, no other process's, and empty but for `of`."""
    lock, part, old = (folder.with_name(f".{folder.name}.{word}") for word in ("lock", "part", "old"))
    with locks.held(lock, PATIENCE_S, f"{folder}: another process writes it; wait for it, or stop it"):
        try:
            if old.exists() and not folder.exists():  # a process was killed between the two renames
                old.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
            _empty(part, of)
            yield part, old
        except Exception:
            of = ""  # what ends in an error leaves nothing
            raise
        finally:
            if not of or not part.exists():
                _empty(part)
            lock.unlink(missing_ok=True)


def _empty(part: Path, of: str = "") -> None:
    """Remove what was begun, unless it is of `of`, which is noted beside it; without `of` nothing is left."""
    note = part.with_suffix(".of")
    if not of or not note.is_file() or note.read_text("utf-8", "replace") != of:
        shutil.rmtree(part, ignore_errors=True)
        note.unlink(missing_ok=True)
    if of:
        note.write_text(of)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of a write (a full disk, say) tells of `path`: the system names a file only where it opens one."""
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = str(path)
        raise


def visible(folder: Path, pattern: str) -> list[Path]:
    """What a pattern finds below `folder`, sorted: nothing hidden, which is half-written."""
    names = glob.glob(pattern, root_dir=folder)  # noqa: PTH207 - a Path's own finds hidden ones
    return sorted(folder / name for name in names)


def link_folder(source: Path, target: Path) -> None:
    """A copy that shares the files' bytes where the file system can; for files that are replaced and never changed."""
    with atomic_folder(target) as part:
        shutil.copytree(source, part, copy_function=_link, dirs_exist_ok=True)
        os.utime(part)  # written now, whenever its source was


def refuse_no_folder(folder: Path, named: str) -> None:
    """UserError where files cannot be written in `folder`, there already or not; `named` is what the user called it."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise UserError(f"{named} {folder}: {there} is a file; name a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{named} {folder}: {there} cannot be written to; name another folder")


def keep_newest(folder: Path, count: int) -> None:
    """Remove the folders in `folder` but for the `count` that were written last."""
    for old in sorted(folder.glob("[!.]*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)[count:]:
        shutil.rmtree(old, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Remove what processes that were killed had begun to write at `path`."""
    for half in path.parent.glob(f".*.{glob.escape(path.name)}"):
        pid = half.name.split(".")[1]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            half.unlink(missing_ok=True)


def _link(old: str, new: str) -> None:
    try:
        Path(new).hardlink_to(old)
    except OSError:  # a file system without hard links, or two of them
        shutil.copy2(old, new)


def write_bytes(path: Path, data: bytes) -> None:
    """Bytes as a file."""
    with atomic(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Text as a file in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, values: Any, indent: int | None = 1) -> None:
    """Plain values as a JSON file."""
    write_text(path, json.dumps(values, indent=indent) + "\n")


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
