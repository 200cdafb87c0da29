"""A method that a test writes, in a folder beside the project's own, for as long as the test lasts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import stages.methods


@contextmanager
def planted(name: str, inpaint: str, folder: Path) -> Iterator[None]:
    """`folder/<name>/inpaint.py` with that text is the method `name` inside."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "inpaint.py").write_text(inpaint)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages.methods, "__path__", [*stages.methods.__path__, str(folder)])
        yield
    for module in [module for module in sys.modules if name in module]:
        sys.modules.pop(module)
    vars(stages.methods).pop(name, None)
