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
from stages.project import names

Model = TypeVar("Model", bound=BaseModel)
NAMED = ("datasets", "masks", "testsets", "protocols")  # blocks whose keys are names that the user gives
SHOWN = 40  # so much of a wrong value is told
RENAMED = {"draws": "testsets", "draw": "testset", "law": "generator"}  # keys of earlier versions


def read(path: Path = Path("params.yaml"), overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The whole of a params file as plain values, with `key=value` overrides (the grammar of `dvc exp run -S`)."""
    values = load(path)
    check(values, path)
    for override in overrides:
        _set(values, override, path)
        check(values, f"-S {override}")
    return values


def load(path: Path) -> dict[str, Any]:
    """The file's plain values, whichever version wrote it; not yet checked."""
    if not path.is_file():
        raise UserError(f"{path}: no such params file; run in the project's root, or write one by `plurifill preset`")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error
    values = _yaml(text, str(path))
    if not isinstance(values, dict):
        raise UserError(f"{path}: {_shown(values)}, and no keys with values; write one by `plurifill preset NAME`")
    return values


def check(values: Mapping[str, Any], source: Path | str) -> None:
    """UserError for a key of an earlier version, a block that is none, or a name that cannot be one."""
    _refuse_renamed(values, source)
    for block in ("data", *NAMED, "methods", "sweeps"):
        _block(values, block, source)
    for block in NAMED:
        for name in _block(values, block, source):
            names.check(name, f"{source}: {block}")
            _block(values[block], name, source, f"{block}.", empty=block == "masks")  # null: whole images
    for method in _block(values, "methods", source):
        _check_method(values["methods"], method, source)


def _check_method(methods: Mapping[str, Any], method: str, source: Path | str) -> None:
    parts = _block(methods, method, source, "methods.")
    for part in parts:
        _block(parts, part, source, f"methods.{method}.")
    where = f"methods.{method}.inpaint."
    variants = _block(parts.get("inpaint", {}), "variants", source, where, empty=True)
    for name in variants:
        names.check(name, f"{source}: {where}variants", names.VARIANT)
        _block(variants, name, source, f"{where}variants.", empty=True)  # null: nothing is overridden


def _block(
    values: Mapping[str, Any], key: Any, source: Path | str, above: str = "", empty: bool = False
) -> Mapping[str, Any]:
    """The block of that key, {} where there is none (or null, where it may be `empty`); UserError for anything else."""
    block = values.get(key, {})
    if not isinstance(key, str):
        raise UserError(f"{source}: key {above}{key!r} is no text; put it in quotes, or rename it")
    if block is None and empty:
        return {}
    if not isinstance(block, Mapping):
        raise UserError(f"{source}: {above}{key} is {_shown(block)}; it takes a block of keys ({{}}: an empty one)")
    return block


def _shown(value: Any) -> str:
    """A value as the file has it, in few words."""
    return "empty (null)" if value is None else f"{type(value).__name__} {str(value)[:SHOWN]!r}"


def _yaml(text: str, where: str) -> Any:
    """YAML's plain values; UserError names where the text is from."""
    try:
        values = YAML(typ="safe").load(text)
        _refuse_endless(values, set(), ())
        return values
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: a date of a 13th month, a lone surrogate
        raise UserError(f"{where}: not readable as YAML: {' '.join(str(error).split())}") from error


def _refuse_endless(value: Any, done: set[int], above: tuple[int, ...]) -> None:
    """ValueError for a list or block that an anchor puts into itself: whoever walks through it would never end."""
    if not isinstance(value, list | dict) or id(value) in done:
        return
    if id(value) in above:
        raise ValueError("a value that holds itself")
    for one in value.values() if isinstance(value, dict) else value:
        _refuse_endless(one, done, (*above, id(value)))
    done.add(id(value))


def _refuse_renamed(values: Mapping[str, Any], source: Path | str) -> None:
    found = [("", "draws")] if "draws" in values else []
    for block, old in (("protocols", "draw"), ("masks", "law")):
        named = values.get(block)
        own = named.items() if isinstance(named, Mapping) else ()
        found += [(f"{block}.{name}.", old) for name, keys in own if isinstance(keys, Mapping) and old in keys]
    if found:
        where, old = found[0]
        mend = "rename it, or write the file anew by `plurifill preset NAME`"
        raise UserError(f"{source}: key {where}{old} is called {where}{RENAMED[old]} now; {mend}")


def _set(values: dict[str, Any], override: str, path: Path) -> None:
    dotted, equals, text = override.partition("=")
    if not equals or not dotted:
        raise UserError(f"-S {override}: write key=value, e.g. -S methods.latent_codes.inpaint.temperature=0.5")
    parent, _, leaf = dotted.rpartition(".")
    block = dig(values, parent, path) if parent else values
    dig(block, leaf, path, shown=dotted)
    block[leaf] = _yaml(text, f"-S {override}")


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
