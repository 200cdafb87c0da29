"""Which files of a folder are pictures: one rule for every door (sources, masks, photographs, results)."""

import os
from collections.abc import Iterator
from pathlib import Path

from stages.contract import UserError

UNREAD = frozenset({".heic", ".heif", ".jxl"})  # listed all the same: whoever reads one is told, instead of missing it
ENDINGS = UNREAD | {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif"),
}


def image_files(root: Path, deep: bool = True) -> list[Path]:
    """What `image_names` lists, as paths."""
    return [Path(name) for name in image_names(root, deep)]


def image_names(root: Path, deep: bool = True) -> list[str]:
    """What is a picture by its ending (in any case) under `root`, relative to it, sorted; at any depth, if `deep`.

    Linked files and folders are entered as if they lay there, but for links to a folder that holds the link: these
    have no end. Hidden files (`._a.jpg`) and folders are left out, and a folder is no picture, whatever its name. A
    link that leads nowhere is listed, so that it is told. UserError where a folder cannot be read.
    """
    try:
        return sorted(_under(root, "", _holding(root), deep), key=_parts)
    except OSError as error:
        fault = f"cannot be listed ({error.strerror}); make it readable, or take it away"
        raise UserError(f"{error.filename or root}: {fault}") from error


def _parts(name: str) -> str:
    """What paths are sorted by: folder by folder, so that `a/x` comes before `a-b/x`."""
    return name.replace(os.sep, "\0")


def text_of(name: str) -> str:
    r"""A file name as text that can be stored and printed: bytes that are no UTF-8 are spelt out, `caf\xe9.png`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _under(root: Path, name: str, above: set[tuple[int, int]], deep: bool) -> Iterator[str]:
    here = _identity(root / name)
    if here in above:
        return
    with os.scandir(root / name) as entries:
        seen = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in seen:
        below = os.path.join(name, entry.name)  # noqa: PTH118 - as paths all of them would take four times the memory
        link = Path(entry) if entry.is_symlink() else None  # a Path, since an entry raises where links go round
        if (link or entry).is_dir():
            if deep:
                holding = _holding(link) if link else set()
                yield from _under(root, below, above | holding | {here}, deep)
        elif Path(entry.name).suffix.lower() in ENDINGS and ((link or entry).is_file() or (link and not link.exists())):
            yield below  # and no pipe or device, which could be waited for without end


def _holding(folder: Path) -> set[tuple[int, int]]:
    """The folders that hold it where it really lies."""
    return {_identity(above) for above in folder.resolve().parents}


def _identity(folder: Path) -> tuple[int, int]:
    stat = folder.stat()
    return stat.st_dev, stat.st_ino
