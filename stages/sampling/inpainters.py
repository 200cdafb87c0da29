"""A method's inpainter from params and trained parts: what `sample`, `inpaint` and `register` share."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast, runtime_checkable

import torch

from stages.contract import Inpainter, MethodModule, Params, Trained, UserError
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
    """The method's inpainter; UserError for results made elsewhere, which complete nothing."""
    if is_external(method):
        raise UserError(f"{method}: it holds results made elsewhere and completes nothing; name another method")
    return module(method).build(own, trained, device)


def for_pictures(
    entry: Entry, own: Params, trained: Mapping[str, Trained], device: torch.device
) -> tuple[Inpainter, int | None]:
    """An entry's inpainter for a user's pictures, and its network's size (None: any)."""
    sizes = {part.spec.size for part in trained.values()}
    if len(sizes) > 1:
        raise UserError(f"{entry.method}: its parts were trained at sizes {sorted(sizes)}; train them at one")
    inpainter = build(entry.method, own, trained, device)
    if reads_hole(inpainter):
        raise UserError(f"{entry}: its encoder reads the hole's content (an ablation); train the restrictive one")
    return inpainter, next(iter(sizes), None)


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
