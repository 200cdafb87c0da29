"""Digests of what was drawn before pixels, by which entries that complete the same (structures, say) are known.

They are stored, and compared with those of other days: what they are taken over stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from stages.contract import Completions
from stages.project.hashing import of_values

Digests = Mapping[str, tuple[str, ...]]  # by the latent's name; one a completion, image by image


def digests(drawn: Completions) -> Digests:
    """Of every completion's latents."""
    for name, latent_BK in drawn.latents.items():
        assert latent_BK.shape[:2] == drawn.raw_BKCHW.shape[:2], f"latents {name}: not one a completion"
    return {name: _digests(latent_BK) for name, latent_BK in drawn.latents.items()}


def joined(parts: Sequence[Digests]) -> dict[str, tuple[str, ...]]:
    """Of parts of the completions in order; of the latents that every part has."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: tuple(one for part in parts for one in part[name]) for name in names}


def whole(parts: Sequence[Digests]) -> dict[str, str]:
    """One digest a latent over all completions in order, the same however these are cut into parts."""
    return {name: of_values({"completions": found}) for name, found in joined(parts).items()}


def _digests(latent_BK: Tensor) -> tuple[str, ...]:
    """sha256 of each completion's whole numbers and of their shape, whatever their type and device."""
    assert not latent_BK.dtype.is_floating_point, "whole numbers only: others may differ by rounding alone"
    codes_R = latent_BK.cpu().to(torch.int64).flatten(0, 1).numpy().astype("<i8")
    return tuple(hashlib.sha256(str(codes.shape).encode() + codes.tobytes()).hexdigest() for codes in codes_R)
