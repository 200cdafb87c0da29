"""A method's inpainter from params and trained parts: what `sample`, `inpaint` and `register` share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any, Protocol, cast, get_type_hints, runtime_checkable

import torch
from pydantic import ValidationError

from stages.contract import Guided, Inpainter, MethodModule, Params, Trained, UserError
from stages.project import paths, plugins
from stages.project.entries import PLAIN, Entry
from stages.project.params import dig, method_block, nearest, validate
from stages.project.releases import read_trained


@runtime_checkable
class Oracle(Protocol):
    """An inpainter that reads the hole where `whole_image` is True: an ablation, never for a user's pictures."""

    whole_image: bool


def reads_hole(inpainter: Inpainter) -> bool:
    """Whether the inpainter is such an ablation, to be given images whose hole is not blanked."""
    return isinstance(inpainter, Oracle) and inpainter.whole_image


def entries(values: Mapping[str, Any], method: str) -> list[Entry]:
    """The method's entries, in the order of params.yaml.

    The plain one is left out where a variant says the very same, and where the results were made elsewhere: those have
    variants alone.
    """
    named = {
        Entry(method, variant): params(values, Entry(method, variant)) for variant in _variants(values, Entry(method))
    }
    plain = Entry(method)
    return [*([] if is_external(method) or params(values, plain) in named.values() else [plain]), *named]


def block(values: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    """An entry's resolved parameters: shared blocks, the `inpaint` block, the variant's overrides on top."""
    variants = _variants(values, entry)
    if entry.variant and entry.variant not in variants:
        where = f"methods.{entry.method}.inpaint.variants"
        raise UserError(f"{where}: no {entry.variant}{nearest(entry.variant, list(variants))}")
    own = method_block(values, entry.method, "inpaint", module(entry.method).SHARED)
    overrides = variants.get(entry.variant) or {}
    return {**{key: value for key, value in own.items() if key != "variants"}, **overrides}


def parents(method: str) -> dict[str, Trained]:
    """The trained parts that the method samples with; UserError where one is not there."""
    return {part: read_trained(paths.model(method, part)) for part in module(method).PARENTS}


def params(values: Mapping[str, Any], entry: Entry) -> Params:
    """An entry's parameters, validated."""
    return validate(module(entry.method).Params, block(values, entry), f"methods.{entry.method}.inpaint")


def load(values: Mapping[str, Any], entry: Entry, device: torch.device) -> Inpainter:
    """The entry's inpainter on `device`; params are validated before any weight is read."""
    own = params(values, entry)
    return build(entry.method, own, parents(entry.method), device)


def build(method: str, own: Params, trained: Mapping[str, Trained], device: torch.device) -> Inpainter:
    """The method's inpainter; UserError for results made elsewhere, which complete nothing, and for unfit weights."""
    if is_external(method):
        raise UserError(f"{method}: it holds results made elsewhere and completes nothing; name another method")
    try:
        return module(method).build(own, trained, device)
    except (RuntimeError, ValidationError) as error:
        if not isinstance(error, ValidationError) and "state_dict" not in str(error):
            raise
        told = " ".join(str(error).split())
        unfit = f"{paths.model(method, '')}: a part does not fit the code that reads it ({told})"
        raise UserError(f"{unfit}; train the method again: plurifill train {method}") from error


def for_pictures(
    entry: Entry,
    own: Params,
    trained: Mapping[str, Trained],
    device: torch.device,
    maps: Collection[str] = (),
    size: int | None = None,
) -> tuple[Inpainter, int | None]:
    """An entry's inpainter for a user's pictures, and its network's size (None: any).

    `maps` says which maps (edges, labels) the user gives with them; UserError where these cannot guide it, and where it
    is an ablation that a user's pictures lack the truth for. `size` is asked for in place of that of the training.
    """
    sizes = {part.spec.size for part in trained.values()}
    if len(sizes) > 1:
        raise UserError(f"{entry.method}: its parts were trained at sizes {sorted(sizes)}; train them at one")
    learnt = next(iter(sizes), None)
    if size and size != learnt:
        refuse_size(
            f"--size {size}", entry.method, own, {part: one.params for part, one in trained.items()}, learnt, size
        )
    inpainter = build(entry.method, own, trained, device)
    if reads_hole(inpainter):
        raise UserError(f"{entry}: its encoder reads the hole's content (an ablation); train the restrictive one")
    _refuse_maps(entry, inpainter, maps)
    return inpainter, size or learnt


def refuse_size(
    where: str, method: str, own: Params, parts: Mapping[str, Mapping[str, Any]], learnt: int | None, size: int
) -> None:
    """UserError unless the method completes images of `size` px, which it did not learn from.

    The method says why not by a function `other_size` in its inpaint.py ("": it does); `parts` are the params of those
    it samples with, `where` is who asks.
    """
    if learnt is None:
        raise UserError(f"{where}: {method} works at every picture's own size; leave it out")
    tell = getattr(module(method), "other_size", None)
    why = str(tell(own, parts, size)) if tell else "the method completes no other size"
    if why:
        raise UserError(f"{where}: {method} was trained on {learnt} px, asked for {size} px: {why}")


def guided_methods() -> list[str]:
    """The methods whose inpainters maps can guide: the class that `build` says it returns has `guidance`."""
    found = {name: plugins.find(f"stages.methods.{name}", "inpaint") for name in plugins.names("stages.methods")}
    built = {name: get_type_hints(one.build).get("return") for name, one in found.items() if one}
    return [name for name, kind in built.items() if hasattr(kind, "guidance")]


def _refuse_maps(entry: Entry, inpainter: Inpainter, maps: Collection[str]) -> None:
    if not isinstance(inpainter, Guided):
        if maps:
            options, those = " and ".join(f"--{name}" for name in maps), ", ".join(guided_methods()) or "none"
            raise UserError(f"{entry}: maps do not guide it; leave out {options} (methods that they guide: {those})")
    elif inpainter.guided_by_truth and not maps:
        instead = "name another variant, or give plurifill inpaint --edges or --labels"
        raise UserError(f"{entry}: what the hole holds guides it (an ablation); {instead}")
    elif "edges" in maps and not inpainter.edges:
        raise UserError(f"{entry}: it was trained without edges; leave out --edges")
    elif "labels" in maps and not inpainter.classes:
        raise UserError(f"{entry}: it was trained without label maps; leave out --labels")


def raw_output(method: str, own: Params, parts: Mapping[str, Mapping[str, Any]]) -> str:
    """What the raw output is where known pixels are part of it by design, in words; "" where a network makes it all.

    The method says so by a function of this name in its inpaint.py; `parts` are the params of those it samples with.
    """
    tell = getattr(module(method), "raw_output", None)
    return str(tell(own, parts)) if tell else ""


def module(method: str) -> MethodModule:
    """`stages.methods.<method>.inpaint`; or `.results` of a method whose samples were made elsewhere."""
    return cast(MethodModule, import_module(module_name(method)))


def module_name(method: str) -> str:
    """The module's name; UserError where there is no such method."""
    package = f"stages.methods.{method}"
    for name in ("inpaint", "results"):
        if method.isidentifier() and plugins.find(package, name):
            return f"{package}.{name}"
    raise UserError(f"{method}: no such method; one is a folder in stages/methods with inpaint.py")


def is_external(method: str) -> bool:
    """Whether the method's samples were made elsewhere: its folder has results.py and no inpaint.py."""
    return not hasattr(module(method), "build")


def _variants(values: Mapping[str, Any], entry: Entry) -> dict[str, Mapping[str, Any] | None]:
    where = f"methods.{entry.method}.inpaint"
    variants = dig(values, where).get("variants") or {}
    for name in variants:
        if name == PLAIN or "/" in str(name):
            raise UserError(f"params: {where}.variants.{name}: choose another name (not {PLAIN}, no slash)")
    return variants
