"""A user's picture completed: K completions of any photograph and mask, known pixels untouched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from stages.contract import Inpainter, Request
from stages.images.pixels import Bool, Uint8
from stages.sampling import windows
from stages.sampling.ranking import likeliest_first


@dataclass(frozen=True)
class Job:
    """What is the same for every picture: the inpainter, the network's size (None: any), seeds and declared rules."""

    inpainter: Inpainter
    device: torch.device
    size: int | None
    seeds: tuple[int, ...] = ()
    batch: int = 8  # completions at once
    hole: str = "white"
    window: str = "whole"
    rank: str = "seed"
    origin: Mapping[str, Any] = field(default_factory=dict)


def completions(job: Job, image_HWC: Uint8, hole_HW: Bool) -> Tensor:
    """All of one picture's completions, uint8 (K, H, W, 3); known pixels are the picture's."""
    window = windows.choose(job.window, hole_HW, job.size)
    raw_KCHW = draw(job, *windows.see(image_HWC, hole_HW, window, job.size))
    return windows.back(raw_KCHW, image_HWC, hole_HW, window)


def draw(job: Job, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """All of one picture's completions (K, 3, H, W) at the network's size, `batch` at a time."""
    image_BCHW, known_B1HW = image_BCHW.to(job.device), known_B1HW.to(job.device)
    drawn = []
    for start in range(0, len(job.seeds), job.batch):
        seeds_BK = torch.tensor([job.seeds[start : start + job.batch]], device=job.device)
        drawn.append(job.inpainter.sample(Request(image_BCHW, known_B1HW, seeds_BK)).raw_BKCHW[0])
    raw_KCHW = torch.cat(drawn)
    if job.rank == "likelihood":
        return likeliest_first(job.inpainter, image_BCHW, known_B1HW, raw_KCHW, job.seeds)
    return raw_KCHW
