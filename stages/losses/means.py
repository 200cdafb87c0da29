"""Means over chosen positions."""

from __future__ import annotations

from torch import Tensor


def masked_mean(value: Tensor, chosen: Tensor) -> Tensor:
    """The mean of the chosen positions (0 and 1, or bool); 0 where none is. Dense: no shape depends on the data."""
    chosen = chosen.to(value.dtype)
    return (value * chosen).sum() / chosen.sum().clamp(min=1)
