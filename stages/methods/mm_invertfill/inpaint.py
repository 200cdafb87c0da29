"""Completion by GAN inversion, guided by edges and labels; many by noise or by styles (paper 002, Sec. 3.1, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from stages import contract
from stages.contract import Completions, Guidance, Request, Trained, UserError
from stages.methods.mm_invertfill import encoder, prior
from stages.methods.mm_invertfill.blocks.drawings import drawings
from stages.methods.mm_invertfill.blocks.edges import edges_of
from stages.methods.mm_invertfill.blocks.fitting import SPREAD_OF
from stages.methods.mm_invertfill.blocks.guiding import Given
from stages.methods.mm_invertfill.blocks.inversion import Inverter
from stages.methods.mm_invertfill.blocks.mean_latent import style_spread
from stages.methods.mm_invertfill.blocks.network import Seen
from stages.methods.mm_invertfill.sampling.blending import blended
from stages.nets.seeded import generators
from stages.sampling.timing import Phases

PARENTS: tuple[str, ...] = ("prior", "encoder")
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    """How completions of an image differ, and what guides those of test images.

    A key that the encoder switches off is not read: `edges` and `labels` without that branch, `sampling` and what
    belongs to it without inversion, when all completions of an image are one.
    """

    sampling: Literal["noise", "latent"] = "noise"  # noise: the paper's, all that it draws; latent: styles too; ours
    latent_scale: float = Field(default=0.5, ge=0)  # of latent: of a random style's way from the mean; ours
    edges: Given = "visible"  # paper Sec. 3.1; gt: Table 6's last row, an ablation
    labels: Given = "none"  # visible: of what is known, where the data has label maps; gt: Table 6's last row
    blend: bool = False  # gradients of the completion, colours of what is known; Fig. 8


class Inpainter:
    """Encoder and generator in one. Float32 throughout; raw output, nothing is clamped to what is known."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], device: torch.device) -> None:
        self.params, self.device = params, device
        own = encoder.Params.model_validate(parents["encoder"].params)
        self.sigma, classes = own.sigma, parents["encoder"].spec.classes
        generator = prior.restore(parents["prior"]).to(device)
        self.inverter = Inverter(encoder.restore(parents["encoder"], parents["prior"]).to(device), generator, classes)
        self.edges, self.classes = self.inverter.encoder.edges, classes if self.inverter.encoder.labels else 0
        self.guided_by_truth = (self.edges and params.edges == "gt") or (self.classes > 0 and params.labels == "gt")
        self.mean_D, _ = style_spread(generator, SPREAD_OF)
        self._phase = Phases(device)

    def guidance(self, image_BCHW: Tensor, known_B1HW: Tensor, labels_BHW: Tensor | None) -> Guidance | None:
        """Edges of what is known or, where params say gt, of all; labels likewise, where there are some."""
        whole_B1HW, made = torch.ones_like(known_B1HW), Guidance()
        if self.edges and self.params.edges != "none":
            known = None if self.params.edges == "gt" else known_B1HW
            edges_B1HW = edges_of(image_BCHW, self.sigma, known)
            made = replace(made, edges_B1HW=edges_B1HW, edges_known_B1HW=whole_B1HW if known is None else known)
        if not self.classes or self.params.labels == "none":
            return made
        if labels_BHW is None:
            return self._without_labels(made)
        mask_B1HW = whole_B1HW if self.params.labels == "gt" else known_B1HW
        return replace(made, labels_BHW=labels_BHW, labels_known_B1HW=mask_B1HW)

    def _without_labels(self, made: Guidance) -> Guidance:
        """A person's picture has no label map but that which the person gives; a test image of an ablation must."""
        if self.params.labels == "gt":
            where = "methods.mm_invertfill.inpaint.labels"
            raise UserError(f"params: {where}: gt needs test images with label maps; choose visible or none")
        return made

    @torch.no_grad()
    def sample(self, request: Request) -> Completions:
        """K completions an image; the encoder runs once an image, for all its samples."""
        image_BCHW, known_B1HW = request.image_BCHW.to(self.device), request.known_B1HW.to(self.device)
        samples = request.seeds_BK.shape[1]
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            with self._phase("encode"):
                seen = self.inverter.see(image_BCHW, known_B1HW, request.guidance)
            with self._phase("generate"):
                raw_RCHW = self._painted(seen, request.seeds_BK, samples).clamp(-1, 1)
        raw_BKCHW = raw_RCHW.unflatten(0, (-1, samples))
        if self.params.blend:
            with self._phase("blend"):
                raw_BKCHW = blended(raw_BKCHW, image_BCHW, known_B1HW)
        return Completions(raw_BKCHW, drawings(seen.restored[-1], image_BCHW.shape[-1]), dict(self._phase.seconds))

    def _painted(self, seen: Seen, seeds_BK: Tensor, samples: int) -> Tensor:
        """Pictures of R = B * K rows, a row's noise, and style where styles differ, from its own seed."""
        if seen.w_BLD is None:
            assert seen.whole_B3HW is not None
            return seen.whole_B3HW.repeat_interleave(samples, 0)
        owners, generator = generators(seeds_BK), self.inverter.generator
        noise = [map_R1HW.to(self.device) for map_R1HW in generator.seeded_noise(owners)]
        w_RLD = seen.w_BLD.repeat_interleave(samples, 0) + self._moves(owners)
        features = {side: map_BCHW.repeat_interleave(samples, 0) for side, map_BCHW in seen.features.items()}
        return generator(w_RLD, noise, features)

    def _moves(self, owners: list[torch.Generator]) -> Tensor | float:
        """How far a row's styles move: along a random style's way from the mean style, the same for all layers."""
        if self.params.sampling == "noise":
            return 0.0
        generator = self.inverter.generator
        z_RD = torch.stack([torch.randn(generator.latent, generator=owner) for owner in owners]).to(self.device)
        return self.params.latent_scale * (generator.mapping(z_RD) - self.mean_D)[:, None]


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> Inpainter:
    """The inpainter on its device."""
    return Inpainter(params, parents, device)
