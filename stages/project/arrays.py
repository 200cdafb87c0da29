"""Arrays on disk by name: a zip, which has checksums, there whole or not at all; kept to save their computing again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from stages.project.files import atomic
from stages.project.progress import tell


def read(path: Path) -> dict[str, NDArray[Any]] | None:
    """What `write` left; None where there is nothing, or it is damaged, which is told."""
    try:
        with np.load(path) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        tell(f"WARNING: {path} is damaged; what it held is computed again")
        return None


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """The arrays as one file (.npz)."""
    with atomic(path) as part:
        np.savez(part, **arrays)  # type: ignore[arg-type]  # names are none of its options
