"""What users call their datasets, masks, test sets, protocols and variants.

A name is a folder, a part of a key (`datasets.NAME`, `-S`), of a DVC stage and of its command's line at once, so what
a file system, YAML, DVC or a shell would read otherwise is none.
"""

from __future__ import annotations

import re
from typing import Any

from stages.contract import UserError

LONGEST = 48
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
VARIANT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")  # it stands in no key of DVC's: `t0.5` may be


def check(name: Any, where: str, pattern: re.Pattern[str] = NAME) -> None:
    """UserError unless `name` fits; `where` names the block that it is a key of."""
    if isinstance(name, str) and len(name) <= LONGEST and pattern.fullmatch(name):
        return
    dots = ", with . between them" if pattern is VARIANT else ""
    rule = f"begin with a letter and go on with letters, digits, _ or -{dots}, {LONGEST} at most"
    raise UserError(f"{where}: {name!r} cannot be a name: {rule}")


def check_folder(name: str, where: str) -> None:
    """UserError unless `name` is that of a folder in another, and no way out of it; `where` names the option."""
    if not name or name.startswith(".") or {"/", "\\", "\0"} & set(name):
        raise UserError(f"{where}: {name!r} cannot be a name: give a folder's own, without a path")
