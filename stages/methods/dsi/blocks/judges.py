"""The auxiliary judges of completions: the VQ-VAE's feature losses, or a classifier's (paper 001, Table 3)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stages.contract import Accelerator, Features
from stages.losses.style import PERCEPTUAL, STYLE, perceptual_loss, style_loss
from stages.methods.dsi.blocks.feature_losses import feature_loss
from stages.methods.dsi.blocks.similarity import Distance
from stages.methods.dsi.blocks.teacher import Teacher

Kind = Literal["none", "structure", "texture", "both", "perceptual_style"]


class FeatureJudge:
    """Feature losses of composites by name, weighted as they enter the generator's loss (eq. 11-12)."""

    def __init__(self, kind: Kind, weight: float, distance: Distance, teacher: Teacher) -> None:
        self.kind, self.weight, self.distance, self.teacher = kind, weight, distance, teacher

    def __call__(self, composite_BCHW: Tensor, image_BCHW: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Name -> (its weight, the loss); nothing where no feature loss is asked for."""
        with torch.no_grad():
            true = self.teacher.encode(image_BCHW)
        seen, net = self.teacher.encode(composite_BCHW), self.teacher.net
        levels = {
            "structure": (seen.s_BDHW, net.structure_codebook.codebook_KD, true.structure.codes_BHW),
            "texture": (seen.t_BDHW, net.texture_codebook.codebook_KD, true.texture.codes_BHW),
        }
        chosen = {name: level for name, level in levels.items() if self.kind in (name, "both")}
        return {name: (self.weight, feature_loss(*level, self.distance)) for name, level in chosen.items()}


class ClassifierJudge:
    """Perceptual and style losses of composites on a classifier's maps, with the weights of Liu et al. 2018."""

    def __init__(self, features: Features, accelerator: Accelerator) -> None:
        self.features, self.accelerator = features, accelerator

    def __call__(self, composite_BCHW: Tensor, image_BCHW: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Name -> (its weight, the loss)."""
        with self.accelerator.autocast():
            made = self.features(composite_BCHW)
            with torch.no_grad():
                true = self.features(image_BCHW)
        return {
            "perceptual": (PERCEPTUAL, perceptual_loss(made, true)),
            "style": (STYLE, style_loss(made, true)),
        }


Judge = FeatureJudge | ClassifierJudge
