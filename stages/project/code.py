"""Code as a part of a result's configuration: what a module computes by, and a digest of it.

The closure of a module are the modules that its numbers depend on: itself and, through imports anywhere in them, those
of methods, nets, losses, learning-rate schedules and conversions of pixels. Digests are taken over parsed code, so that
comments, docstrings and layout change none.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# what numbers depend on. The loop, the accelerator and the readers of data are not among these: a change there is
# shown to keep every number, or finished parts are removed and made again (CONTRIBUTING)
ROOMS = ("stages.methods", "stages.nets", "stages.losses", "stages.training.schedules", "stages.images.pixels")


@dataclass(frozen=True)
class Module:
    """A file's imports and its code as text that comments, docstrings and layout do not change; "" without code."""

    imports: tuple[str, ...]
    code: str


def closure(modules: Sequence[str], rooms: Sequence[str] = ROOMS) -> dict[str, Path]:
    """The files of `modules` and of all that they import from `rooms`, directly or not, by module name, sorted."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in found or path is None or not (module := _read(path)).code:
            continue
        found[name] = path
        waiting += [other for other in module.imports if _within(other, rooms)]
    return dict(sorted(found.items()))


def digest(*modules: str, rooms: Sequence[str] = ROOMS) -> str:
    """16 hex digits over the parsed code of the modules' closure."""
    total = hashlib.sha256()
    for name, path in closure(modules, rooms).items():
        total.update(f"{name}\n{_read(path).code}\n".encode())
    return total.hexdigest()[:16]


def _within(name: str, rooms: Sequence[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _file(name: str) -> Path | None:
    """A module's file; None for what is no module (a name that a module defines)."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # its parent is no package
        return None
    path = Path(spec.origin) if spec and spec.origin else None
    return path if path and path.suffix == ".py" else None


def _read(path: Path) -> Module:
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, changed_ns: int) -> Module:
    """The file as it is since its last change."""
    tree = ast.parse(path.read_bytes(), str(path))
    return Module(tuple(_imports(tree)), _plain(tree) if _body(tree) else "")


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _plain(value: Any) -> str:
    """A tree as text: no positions, docstrings or empty fields, so that it does not hang on Python's version."""
    if isinstance(value, ast.AST):
        fields = ((name, _body(value) if name == "body" else item) for name, item in ast.iter_fields(value))
        told = (f"{name}={_plain(item)}" for name, item in fields if item is not None and item != [])
        return f"{type(value).__name__}({','.join(told)})"
    if isinstance(value, list):
        return f"[{','.join(map(_plain, value))}]"
    return f"{type(value).__name__}:{value!r}"


def _body(node: ast.AST) -> Any:
    """A node's statements without its docstring."""
    body: Any = getattr(node, "body", None)
    documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    if documented and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return body[1:] if isinstance(body[0].value.value, str) else body
    return body
