"""What the encoder is shown: image, edges and labels, each with a mask of its own (paper 002, Sec. 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stages.contract import Guidance
from stages.images.pixels import blank


@dataclass(frozen=True)
class Inputs:
    """Three maps, each known where its mask is 1; what a map holds elsewhere, be it NaN, is not read.

    image_BCHW in [-1, 1]; edges_B1HW 1 on an edge, else 0; labels_BCHW a channel a class, 1 or 0 (none: no channel).
    A map whose mask is 0 throughout is not given: then this is plain inpainting.
    """

    image_BCHW: Tensor
    known_B1HW: Tensor
    edges_B1HW: Tensor
    edges_known_B1HW: Tensor
    labels_BCHW: Tensor
    labels_known_B1HW: Tensor

    @classmethod
    def guided(cls, image_BCHW: Tensor, known_B1HW: Tensor, guidance: Guidance | None, classes: int) -> Inputs:
        """An image with what guides it; labels become `classes` channels."""
        given, none_B1HW = guidance or Guidance(), torch.zeros_like(known_B1HW)
        edges, labels = (none_B1HW, none_B1HW), (none_B1HW.expand(-1, classes, -1, -1), none_B1HW)
        if given.edges_B1HW is not None:
            assert given.edges_known_B1HW is not None, "edges come with their mask"
            edges = (given.edges_B1HW, given.edges_known_B1HW)
        if given.labels_BHW is not None:
            assert given.labels_known_B1HW is not None, "labels come with their mask"
            labels = (one_hot(given.labels_BHW, classes), given.labels_known_B1HW)
        return cls(image_BCHW, known_B1HW, *edges, *labels)

    def picture(self) -> Tensor:
        """The image, blank in its hole, and its mask: (B, 4, H, W)."""
        return _masked(self.image_BCHW, self.known_B1HW)

    def channels(self, edges: bool, labels: bool) -> Tensor:
        """All that enters: the picture and, where asked for, edges (2 channels) and labels (classes + 1)."""
        maps = [self.picture()]
        if edges:
            maps.append(_masked(self.edges_B1HW, self.edges_known_B1HW))
        if labels:
            maps.append(_masked(self.labels_BCHW, self.labels_known_B1HW))
        return torch.cat(maps, 1)


def one_hot(labels_BHW: Tensor, classes: int) -> Tensor:
    """(B, classes, H, W) float32, a channel a class. What is outside [0, classes) is no class: 0 in all of them."""
    named_K11 = torch.arange(classes, device=labels_BHW.device)[:, None, None]
    return (labels_BHW[:, None] == named_K11).float()


def _masked(map_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    return torch.cat([blank(map_BCHW, known_B1HW), known_B1HW], 1)
