"""Lists of file names that people write and publish, as text."""

import codecs
import re
from pathlib import Path


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank; a byte order mark is no part of the first.

    Bytes that are no UTF-8 stand for themselves, as in names of files, so that a Latin-1 list finds Latin-1 files.
    """
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # "Unicode text" of Windows programs
        text = data.decode("utf-16", "replace")
    else:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    return [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]
