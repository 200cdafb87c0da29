"""The multi-scale reconstruction loss: every scale's picture, edges and labels against the truth's (eq. 8)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.methods.mm_invertfill.blocks.decoder import Restoration
from stages.methods.mm_invertfill.blocks.perception import Distance

LEFT_OUT = -100  # the class that F.cross_entropy does not count


def scale_losses(
    restored: list[Restoration],
    image_BCHW: Tensor,
    edges_B1HW: Tensor,
    labels_BHW: Tensor | None,
    distance: Distance | None,
) -> dict[str, Tensor]:
    """Sums over the scales, by name: L1, `distance` of pictures enlarged to the image's size, BCE, cross-entropy.

    A term that has nothing to compare is 0.
    """
    rows = [_losses(seen, image_BCHW, edges_B1HW, labels_BHW, distance) for seen in restored]
    return {name: torch.stack([row[name] for row in rows]).sum() for name in rows[0]}


def _losses(
    seen: Restoration, image_BCHW: Tensor, edges_B1HW: Tensor, labels_BHW: Tensor | None, distance: Distance | None
) -> dict[str, Tensor]:
    side, zero = seen.image_B3hw.shape[-1], image_BCHW.new_zeros(())
    terms = {"scale_l1": F.l1_loss(seen.image_B3hw, F.adaptive_avg_pool2d(image_BCHW, side))}
    terms["scale_perceptual"] = zero if distance is None else distance(seen.image_B3hw, image_BCHW)
    terms["scale_edges"] = zero if seen.edges_B1hw is None else edge_loss(seen.edges_B1hw, edges_B1HW)
    if seen.labels_BChw is None or labels_BHW is None:
        return {**terms, "scale_labels": zero}
    return {**terms, "scale_labels": label_loss(seen.labels_BChw, labels_BHW)}


def enlarged(distance: Distance) -> Distance:
    """The distance of small pictures, enlarged, to whole ones: networks of classifiers need more than 8 pixels."""

    def of(small_B3hw: Tensor, image_BCHW: Tensor) -> Tensor:
        whole_B3HW = F.interpolate(small_B3hw, size=image_BCHW.shape[-2:], mode="bilinear", align_corners=False)
        return distance(whole_B3HW, image_BCHW)

    return of


def edge_loss(logits_B1hw: Tensor, edges_B1HW: Tensor) -> Tensor:
    """Binary cross-entropy; a cell is an edge where any of its pixels is."""
    return F.binary_cross_entropy_with_logits(logits_B1hw, shrunk_edges(edges_B1HW, logits_B1hw.shape[-1]))


def label_loss(logits_BChw: Tensor, labels_BHW: Tensor) -> Tensor:
    """Cross-entropy of the cells whose class there is; 0 where there is none."""
    labels_Bhw = shrunk_labels(labels_BHW, logits_BChw.shape[-1])
    named_Bhw = (labels_Bhw >= 0) & (labels_Bhw < logits_BChw.shape[1])
    total = F.cross_entropy(logits_BChw, labels_Bhw.where(named_Bhw, LEFT_OUT), reduction="sum")
    return total / named_Bhw.sum().clamp(min=1)


def shrunk_edges(edges_B1HW: Tensor, side: int) -> Tensor:
    """1 where any pixel of a cell is on an edge."""
    return F.adaptive_max_pool2d(edges_B1HW, side)


def shrunk_labels(labels_BHW: Tensor, side: int) -> Tensor:
    """The class of the pixel in the middle of a cell."""
    step = labels_BHW.shape[-1] // side
    return labels_BHW[:, step // 2 :: step, step // 2 :: step]
