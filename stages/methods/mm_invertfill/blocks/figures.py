"""Figures of an encoder on val: completions without and with the truth's edges and labels, and predicted classes."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from stages.contract import Batch, Guidance, Perceptual
from stages.images.pixels import composite
from stages.losses.means import Means
from stages.losses.overlap import Overlap
from stages.losses.pixels import psnr
from stages.methods.mm_invertfill.blocks.guiding import Truth
from stages.methods.mm_invertfill.blocks.inversion import Inverter
from stages.methods.mm_invertfill.blocks.network import Seen
from stages.methods.mm_invertfill.blocks.scale_losses import shrunk_labels
from stages.nets.seeded import generators

PLAIN, GUIDED = "", "_guided"  # endings: edges of what is known alone; all edges and labels


@torch.no_grad()
def figures(
    inverter: Inverter, batches: Iterable[Batch], sigma: float, perceptual: Perceptual | None
) -> dict[str, float]:
    """PSNR in the hole and of the composite in dB, LPIPS of the composite; mean IoU of predicted classes.

    `_guided`: with the edges and labels of the whole image, where the encoder reads such. `iou_majority`: had the most
    frequent class been predicted everywhere.
    """
    means, overlap = Means(), Overlap(inverter.classes)
    for batch in batches:
        truth = Truth.of(batch, sigma)
        seen = _add(means, inverter, batch, truth.guidance(batch.known_B1HW, "visible", "none"), perceptual, PLAIN)
        _count(overlap, seen, batch.labels_BHW)
        if inverter.encoder.edges or inverter.encoder.labels:
            _add(means, inverter, batch, truth.guidance(batch.known_B1HW, "gt", "gt"), perceptual, GUIDED)
    iou = {"iou": overlap.mean_iou(), "iou_majority": overlap.of_majority()} if inverter.encoder.labels else {}
    return {**means.result(), **iou}


def _add(
    means: Means, inverter: Inverter, batch: Batch, guidance: Guidance, perceptual: Perceptual | None, ending: str
) -> Seen:
    seen, raw_BCHW = completed(inverter, batch, guidance)
    hole_B1HW = 1 - batch.known_B1HW
    whole_BCHW, some_B = composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW), hole_B1HW.amax((1, 2, 3))
    means.add(f"psnr_hole{ending}", psnr(raw_BCHW, batch.image_BCHW, hole_B1HW), some_B)
    means.add(f"psnr{ending}", psnr(whole_BCHW, batch.image_BCHW), some_B)
    if perceptual is not None:
        means.add(f"lpips{ending}", perceptual(whole_BCHW, batch.image_BCHW))
    return seen


def completed(inverter: Inverter, batch: Batch, guidance: Guidance) -> tuple[Seen, Tensor]:
    """What is seen of a batch and its raw completions in [-1, 1], the noise of an image from its own seed."""
    seen = inverter.see(batch.image_BCHW, batch.known_B1HW, guidance)
    noise = inverter.generator.seeded_noise(generators(batch.seeds_B))
    return seen, inverter.paint(seen, [map_B1HW.to(batch.image_BCHW.device) for map_B1HW in noise]).clamp(-1, 1)


def _count(overlap: Overlap, seen: Seen, labels_BHW: Tensor | None) -> None:
    logits_BChw = seen.restored[-1].labels_BChw
    if logits_BChw is not None and labels_BHW is not None:
        overlap.add(shrunk_labels(labels_BHW, logits_BChw.shape[-1]), logits_BChw.argmax(1))
