"""A user's picture completed: K completions of any photograph and mask, known pixels untouched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from stages.contract import Guidance, Guided, Inpainter, Request
from stages.images.pixels import Bool, Uint8
from stages.sampling import guidance, windows
from stages.sampling.maps import NONE, Maps
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
    edge_colour: str | None = None  # of edges in edge maps; None: told apart
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """Of the label maps that guide its inpainter; 0: label maps do not."""
        return self.inpainter.classes if isinstance(self.inpainter, Guided) else 0


def completions(job: Job, image_HWC: Uint8, hole_HW: Bool, maps: Maps = NONE) -> Tensor:
    """All of one picture's completions, guided by its maps, uint8 (K, H, W, 3); known pixels are the picture's."""
    window = windows.choose(job.window, hole_HW, job.size)
    image_BCHW, known_B1HW = windows.see(image_HWC, hole_HW, window, job.size)
    raw_KCHW = draw(job, image_BCHW, known_B1HW, guidance.seen(maps, window, job.size))
    return windows.back(raw_KCHW, image_HWC, hole_HW, window)


def draw(job: Job, image_BCHW: Tensor, known_B1HW: Tensor, given: Guidance) -> Tensor:
    """All of one picture's completions (K, 3, H, W) at the network's size, `batch` at a time.

    They are ranked by how likely they are given the image alone, whatever guided them.
    """
    image_BCHW, known_B1HW = image_BCHW.to(job.device), known_B1HW.to(job.device)
    guiding, drawn = guidance.of_picture(job.inpainter, image_BCHW, known_B1HW, given), []
    for start in range(0, len(job.seeds), job.batch):
        seeds_BK = torch.tensor([job.seeds[start : start + job.batch]], device=job.device)
        drawn.append(job.inpainter.sample(Request(image_BCHW, known_B1HW, seeds_BK, guiding)).raw_BKCHW[0])
    raw_KCHW = torch.cat(drawn)
    if job.rank == "likelihood":
        return likeliest_first(job.inpainter, image_BCHW, known_B1HW, raw_KCHW, job.seeds)
    return raw_KCHW
