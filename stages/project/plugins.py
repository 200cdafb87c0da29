"""Things that are added by a file of their own: the modules of a package, found by name."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any


def names(package: str) -> list[str]:
    """The modules (and packages) of a package, sorted."""
    return sorted(module.name for module in iter_modules(import_module(package).__path__))


def find(package: str, name: str) -> Any:
    """The module `package.name`; None where there is none."""
    if not name.isidentifier() or find_spec(package) is None or find_spec(f"{package}.{name}") is None:
        return None
    return import_module(f"{package}.{name}")
