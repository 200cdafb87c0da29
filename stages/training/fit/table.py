"""What of a training fits into a device's memory: what a part holds, an image's share, the batch that fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import torch

from stages.contract import UserError
from stages.training import parts
from stages.training.fit.held import held
from stages.training.fit.search import Found, largest, sizes
from stages.training.fit.trial import STATUS, Asked, peak
from stages.training.parts import Plan

HEADS = ("part", "weights", "gradients", "optimiser", "ema", "an image", "whole batch", "fits", "accumulate", "peak")
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Room:
    """A device, and how many bytes of its memory a training may have."""

    device: torch.device
    limit: int

    @classmethod
    def of(cls, device: torch.device, asked: str) -> Room:
        """So much as is asked for ("4G"), else what is free now. Raises UserError where that is no amount."""
        if device.type == "cpu" and not STATUS.exists():
            raise UserError("--fit: a CPU's memory is measured on Linux alone; name a GPU: --device cuda")
        if asked:
            return cls(device, _bytes(asked))
        free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
        return cls(device, free)


def facts(values: Mapping[str, Any], plan: Plan, room: Room) -> dict[str, Any]:
    """One part's row in bytes and images; None: not known, because nothing or but one size fits."""
    holds = held(plan, parts.family(values, plan), parts.spec(values, plan))
    found = Found({})
    if holds.total < room.limit:  # else no trial can fit
        asked = Asked(values, plan.method, plan.name, 0, str(room.device), room.limit)
        found = largest(sizes(plan.loop.batch), room.limit, lambda images: peak(asked.of(images)))
    return {
        **asdict(holds),
        "image": found.image,
        "batch": plan.loop.batch,
        "whole_batch": found.predicted(plan.loop.batch),
        "fits": found.fits,
        "accumulate": plan.loop.batch // found.fits if found.fits else None,
        "peak": found.peaks[found.fits] if found.fits else None,
    }


def row(name: str, facts: Mapping[str, Any]) -> list[str]:
    """A part's line under HEADS."""
    holds = [size(facts[key]) for key in ("weights", "gradients", "optimiser", "average")]
    whole = f"{facts['batch']}: {size(facts['whole_batch'])}"
    fits = [str(facts[key] or "none") for key in ("fits", "accumulate")]
    return [name, *holds, size(facts["image"]), whole, *fits, size(facts["peak"])]


def size(count: float | None) -> str:
    """Bytes in MiB or GiB; "?": not known."""
    if count is None:
        return "?"
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _bytes(text: str) -> int:
    number, unit = text[:-1], UNITS.get(text[-1:].upper())
    try:
        count = int(float(number) * (unit or 0))
    except (ValueError, OverflowError):
        count = 0
    if count <= 0:
        raise UserError(f"--memory {text}: not an amount of memory; write 900M or 4G")
    return count
