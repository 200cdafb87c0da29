"""Figures of an encoder on val: completions without and with the truth's edges and labels, and predicted classes."""

from __future__ import annotations

import torch
from torch import Tensor

from stages.contract import Batch, Guidance, Perceptual
from stages.images.pixels import composite
from stages.losses.overlap import confusion, iou_of_majority, mean_iou
from stages.losses.pixels import psnr
from stages.losses.tally import Tally
from stages.methods.mm_invertfill.blocks.guiding import Truth
from stages.methods.mm_invertfill.blocks.inversion import Inverter
from stages.methods.mm_invertfill.blocks.network import Seen
from stages.methods.mm_invertfill.blocks.scale_losses import shrunk_labels
from stages.nets.seeded import generators

PLAIN, GUIDED = "", "_guided"  # endings: edges of what is known alone; all edges and labels


@torch.no_grad()
def measure(inverter: Inverter, batch: Batch, sigma: float, perceptual: Perceptual | None) -> Tally:
    """PSNR in the hole and of the composite in dB, LPIPS of the composite; pairs of true and predicted classes.

    `_guided`: with the edges and labels of the whole image, where the encoder reads such.
    """
    tally, truth = Tally(), Truth.of(batch, sigma)
    seen = _add(tally, inverter, batch, truth.guidance(batch.known_B1HW, "visible", "none"), perceptual, PLAIN)
    if inverter.encoder.labels:
        tally.count("classes", _confusion(seen, batch.labels_BHW, inverter.classes))
    if inverter.encoder.edges or inverter.encoder.labels:
        _add(tally, inverter, batch, truth.guidance(batch.known_B1HW, "gt", "gt"), perceptual, GUIDED)
    return tally


def of(tally: Tally) -> dict[str, float]:
    """Means over all images; mean IoU of predicted classes, and had the most frequent one been predicted everywhere."""
    counts_TP = tally.counts.get("classes")
    iou = {} if counts_TP is None else {"iou": mean_iou(counts_TP), "iou_majority": iou_of_majority(counts_TP)}
    return {**tally.means(), **iou}


def _add(
    tally: Tally, inverter: Inverter, batch: Batch, guidance: Guidance, perceptual: Perceptual | None, ending: str
) -> Seen:
    seen, raw_BCHW = completed(inverter, batch, guidance)
    hole_B1HW = 1 - batch.known_B1HW
    whole_BCHW, some_B = composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW), hole_B1HW.amax((1, 2, 3))
    tally.mean(f"psnr_hole{ending}", psnr(raw_BCHW, batch.image_BCHW, hole_B1HW), some_B)
    tally.mean(f"psnr{ending}", psnr(whole_BCHW, batch.image_BCHW), some_B)
    if perceptual is not None:
        tally.mean(f"lpips{ending}", perceptual(whole_BCHW, batch.image_BCHW))
    return seen


def completed(inverter: Inverter, batch: Batch, guidance: Guidance) -> tuple[Seen, Tensor]:
    """What is seen of a batch and its raw completions in [-1, 1], the noise of an image from its own seed."""
    seen = inverter.see(batch.image_BCHW, batch.known_B1HW, guidance)
    noise = inverter.generator.seeded_noise(generators(batch.seeds_B))
    return seen, inverter.paint(seen, [map_B1HW.to(batch.image_BCHW.device) for map_B1HW in noise]).clamp(-1, 1)


def _confusion(seen: Seen, labels_BHW: Tensor | None, classes: int) -> Tensor:
    logits_BChw = seen.restored[-1].labels_BChw
    if logits_BChw is None or labels_BHW is None:
        return torch.zeros(classes, classes, dtype=torch.int64)
    return confusion(shrunk_labels(labels_BHW, logits_BChw.shape[-1]), logits_BChw.argmax(1), classes)
