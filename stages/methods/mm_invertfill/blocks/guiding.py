"""What guides a training batch: edges and labels, each of what is known, of all, or none (paper 002, Sec. 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from stages.contract import Batch, Guidance
from stages.methods.mm_invertfill.blocks.edges import edges_of

Given = Literal["none", "visible", "gt"]  # nothing; what is known of it; all of it, hole included
Learnt = Literal["none", "visible", "gt", "mixed"]  # mixed: one of the three, drawn an image


@dataclass(frozen=True)
class Truth:
    """A batch's edges, of the whole image and of what is known, and its labels (None: it has none)."""

    edges_B1HW: Tensor
    visible_B1HW: Tensor
    labels_BHW: Tensor | None

    @classmethod
    def of(cls, batch: Batch, sigma: float) -> Truth:
        """Edges by Canny after smoothing by `sigma` pixels."""
        visible_B1HW = edges_of(batch.image_BCHW, sigma, batch.known_B1HW)
        return cls(edges_of(batch.image_BCHW, sigma), visible_B1HW, batch.labels_BHW)

    def guidance(self, known_B1HW: Tensor, edges: Learnt, labels: Learnt) -> Guidance:
        """As an encoder in training is given it; draws from torch's generator where it is mixed."""
        edges_B111, labels_B111 = drawn(edges, known_B1HW), drawn(labels, known_B1HW)
        own_B1HW = torch.where(edges_B111 == ALL, self.edges_B1HW, self.visible_B1HW)
        if self.labels_BHW is None:
            return Guidance(own_B1HW, seen(edges_B111, known_B1HW))
        return Guidance(own_B1HW, seen(edges_B111, known_B1HW), self.labels_BHW, seen(labels_B111, known_B1HW))


NOTHING, VISIBLE, ALL = range(3)
NUMBERS = {"none": NOTHING, "visible": VISIBLE, "gt": ALL}


def drawn(given: Learnt, known_B1HW: Tensor) -> Tensor:
    """NOTHING, VISIBLE or ALL, (B, 1, 1, 1)."""
    shape, device = (len(known_B1HW), 1, 1, 1), known_B1HW.device
    if given == "mixed":
        return torch.randint(len(NUMBERS), shape, device=device)
    return torch.full(shape, NUMBERS[given], device=device)


def seen(choice_B111: Tensor, known_B1HW: Tensor) -> Tensor:
    """The mask under which a map of that choice is given."""
    visible_B1HW = torch.where(choice_B111 == VISIBLE, known_B1HW, torch.zeros_like(known_B1HW))
    return torch.where(choice_B111 == ALL, torch.ones_like(known_B1HW), visible_B1HW)
