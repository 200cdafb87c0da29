"""A method's inpainter from params and trained parts: what `sample`, `inpaint` and `register` share.

A row is one thing to compare: a method with its `inpaint` block as it stands ("latent_codes"), or with one of the
block's named `variants`, which are overrides ("classical/telea").
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch

from stages import places
from stages.contract import Inpainter, Made, Params, Trained, UserError, peeks
from stages.engine.checkpoint import read_trained
from stages.engine.params import dig, method_block, nearest, validate


def names(values: Mapping[str, Any], method: str) -> list[str]:
    """The method's rows, in the order of params.yaml.

    The plain one is left out where a variant says the very same, and where only variants name something (`Made`).
    """
    named = {
        f"{method}/{variant}": params(values, method, f"{method}/{variant}") for variant in _variants(values, method)
    }
    plain = [] if _only_variants(method) or params(values, method, method) in named.values() else [method]
    return [*plain, *named]


def block(values: Mapping[str, Any], method: str, row: str) -> dict[str, Any]:
    """A row's resolved parameters: shared blocks, the `inpaint` block, the variant's overrides on top."""
    variants = _variants(values, method)
    variant = row.removeprefix(method).removeprefix("/")
    if variant and variant not in variants:
        raise UserError(f"methods.{method}.inpaint.variants: no {variant}{nearest(variant, list(variants))}")
    own = method_block(values, method, "inpaint", module(method).SHARED)
    overrides = variants.get(variant) or {}
    return {**{key: value for key, value in own.items() if key != "variants"}, **overrides}


def parents(method: str) -> dict[str, Trained]:
    """The trained parts that the method samples with; UserError where one is not there."""
    return {part: read_trained(places.model(method, part)) for part in module(method).PARENTS}


def params(values: Mapping[str, Any], method: str, row: str) -> Params:
    """A row's parameters, validated."""
    return validate(module(method).Params, block(values, method, row), f"methods.{method}.inpaint")


def load(values: Mapping[str, Any], method: str, row: str, device: torch.device) -> Inpainter:
    """The row's inpainter on `device`; params are validated before any weight is read."""
    own = params(values, method, row)
    return module(method).build(own, parents(method), device)


def for_pictures(
    row: str, own: Params, trained: Mapping[str, Trained], device: torch.device
) -> tuple[Inpainter, int | None]:
    """A row's inpainter for a user's pictures, and its network's size (None: any)."""
    method = row.partition("/")[0]
    sizes = {part.spec.size for part in trained.values()}
    if len(sizes) > 1:
        raise UserError(f"{method}: its parts were trained at different sizes {sorted(sizes)}; train them at one")
    inpainter = module(method).build(own, trained, device)
    if peeks(inpainter):
        raise UserError(f"{row}: its encoder reads the hole's content (an ablation); train the restrictive one")
    return inpainter, next(iter(sizes), None)


def module(method: str) -> ModuleType:
    """`stages.methods.<method>.inpaint`."""
    name = f"stages.methods.{method}"
    if not method.isidentifier() or find_spec(name) is None or find_spec(f"{name}.inpaint") is None:
        raise UserError(f"{method}: no such method; one is a folder in stages/methods with inpaint.py")
    return import_module(f"{name}.inpaint")


def _only_variants(method: str) -> bool:
    return issubclass(module(method).Params, Made)


def _variants(values: Mapping[str, Any], method: str) -> dict[str, Mapping[str, Any] | None]:
    return dig(values, f"methods.{method}.inpaint").get("variants") or {}
