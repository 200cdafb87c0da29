"""params.yaml becomes frozen, validated objects once, at a verb's door."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.contract import UserError

Model = TypeVar("Model", bound=BaseModel)
RENAMED = {"draws": "testsets", "draw": "testset", "law": "generator"}  # keys of earlier versions


def read(path: Path = Path("params.yaml"), overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The whole of a params file as plain values, with `key=value` overrides (the grammar of `dvc exp run -S`)."""
    values = load(path)
    _refuse_renamed(values, path)
    for override in overrides:
        _set(values, override, path)
    return values


def load(path: Path) -> dict[str, Any]:
    """The file's plain values, whichever version wrote it."""
    if not path.is_file():
        raise UserError(f"{path}: no such params file; run in the project's root, or write one by `plurifill preset`")
    try:
        return YAML(typ="safe").load(path.read_text())
    except YAMLError as error:
        raise UserError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error


def _refuse_renamed(values: Any, path: Path) -> None:
    """UserError for a key of an earlier version, with the name that it has now."""
    blocks = values if isinstance(values, dict) else {}
    found = [("", "draws")] if "draws" in blocks else []
    for block, old in (("protocols", "draw"), ("masks", "law")):
        named = blocks.get(block) or {}
        found += [(f"{block}.{name}.", old) for name, own in named.items() if isinstance(own, dict) and old in own]
    if found:
        where, old = found[0]
        mend = "rename it, or write the file anew by `plurifill preset NAME`"
        raise UserError(f"{path}: key {where}{old} is called {where}{RENAMED[old]} now; {mend}")


def _set(values: dict[str, Any], override: str, path: Path) -> None:
    dotted, equals, text = override.partition("=")
    if not equals:
        raise UserError(f"-S {override}: write key=value, e.g. -S methods.latent_codes.inpaint.temperature=0.5")
    parent, _, leaf = dotted.rpartition(".")
    block = dig(values, parent, path) if parent else values
    dig(block, leaf, path, shown=dotted)
    block[leaf] = YAML(typ="safe").load(text)


def dig(values: Mapping[str, Any], dotted: str, path: Path = Path("params.yaml"), shown: str = "") -> Any:
    """The value at a dotted key; a misspelt key is an error that names the nearest one."""
    here: Any = values
    for key in dotted.split("."):
        if not isinstance(here, Mapping) or key not in here:
            known = list(here) if isinstance(here, Mapping) else []
            raise UserError(f"{path}: no key {shown or dotted}{nearest(key, known)}")
        here = here[key]
    return here


def nearest(word: str, known: Sequence[str]) -> str:
    """The end of an error line: the nearest known name, or all of them."""
    close = difflib.get_close_matches(word, [str(k) for k in known], n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(map(str, known))}" if known else ""


def validate(model: type[Model], block: Mapping[str, Any], where: str) -> Model:
    """The block as a frozen object; every mistake is one line that names the key."""
    try:
        return model.model_validate(block)
    except ValidationError as error:
        lines = [_line(model, issue, where) for issue in error.errors()]
        raise UserError("; ".join(lines)) from error


def _line(model: type[BaseModel], issue: Any, where: str) -> str:
    place = ".".join([where, *(str(part) for part in issue["loc"])])
    if issue["type"] == "extra_forbidden":
        return f"params: unknown key {place}{nearest(str(issue['loc'][-1]), _names(model, issue['loc'][:-1]))}"
    if issue["type"] == "missing":
        return f"params: key {place} is missing"
    return f"params: {place} = {issue['input']!r}: {issue['msg']}"


def _names(model: type[BaseModel], loc: Sequence[Any]) -> list[str]:
    for part in loc:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def method_block(values: Mapping[str, Any], method: str, part: str, shared: Sequence[str] = ()) -> dict[str, Any]:
    """A part's own block of params, with the method's shared blocks that it reads put beside it."""
    block = dict(dig(values, f"methods.{method}.{part}"))
    return {**block, **{name: dig(values, f"methods.{method}.{name}") for name in shared}}
