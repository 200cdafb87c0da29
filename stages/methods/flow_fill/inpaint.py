"""Pluralistic completion by the flow's inverse, texture by the generator (paper 003, eq. 7); transfer; likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from stages import contract
from stages.contract import Completions, Request, Trained
from stages.methods.flow_fill import decoder, prior
from stages.methods.flow_fill.blocks.depth import continuous
from stages.methods.flow_fill.blocks.generator import enlarged
from stages.methods.flow_fill.blocks.noise import normal
from stages.methods.flow_fill.blocks.structure import exact
from stages.nets.seeded import generators
from stages.sampling.timing import Phases

PARENTS: tuple[str, ...] = ("prior", "decoder")
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    """How latents are drawn."""

    temperature: float = Field(default=1.0, ge=0)  # z's deviation; ours: the paper names none, 1 is the learnt density
    texture: bool = True  # False: the prior up-sampled, without G: an ablation


class Inpainter:
    """Prior and decoder in one; also Transfers and Scores. Float32 throughout; raw output, nothing is clamped to."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], device: torch.device) -> None:
        self.params, self.device = params, device
        self.prior = prior.restore(parents["prior"]).to(device)
        self.decoder = decoder.restore(parents["decoder"]).to(device)
        self._phase = Phases(device)

    @torch.no_grad()
    def sample(self, request: Request) -> Completions:
        """K completions an image; E_theta runs once an image, for all its samples."""
        with exact(), self._phase("condition"):
            conditions = self._conditions(request)
        return self._complete(self._latents(request), conditions, request)

    @torch.no_grad()
    def transfer(self, request: Request, target_BCHW: Tensor) -> Completions:
        """Section 4.3: z = f(I_t; E((I_t M))), read off the target under the same mask, decoded for the source."""
        target_BCHW = target_BCHW.to(self.device)
        with exact(), self._phase("condition"):
            theirs = self.prior.conditions(target_BCHW, request.known_B1HW.to(self.device))
            ours = self._conditions(request)
        with exact(), self._phase("encode"):
            z, _ = self.prior.encode(continuous(self.prior.shrunk(target_BCHW)), theirs)
        return self._complete(z, ours, request)

    @torch.no_grad()
    def log_likelihood(self, request: Request) -> Tensor:
        """log p(I_s | I_m) of the very small images that stage 1 draws for the seeds, in nats (B, K).

        The density at the draw, before it is clamped to a picture, times the volume of a level of the prior's bit
        depth. What G makes of I_s has no likelihood of its own, and shrunken again it would be another image.
        """
        with exact():
            conditions = self._conditions(request)
            nats_R = self.prior.nats(self.prior.flow.inverse(self._latents(request), conditions), conditions)
        return -nats_R.unflatten(0, tuple(request.seeds_BK.shape))

    def _latents(self, request: Request) -> list[Tensor]:
        """z of R = B * K rows, each by its own seed."""
        z = normal(generators(request.seeds_BK), self.prior.latents)
        return [self.params.temperature * z_RCHW.to(self.device) for z_RCHW in z]

    def _conditions(self, request: Request) -> list[Tensor]:
        return self.prior.conditions(request.image_BCHW.to(self.device), request.known_B1HW.to(self.device))

    def _complete(self, z: list[Tensor], conditions: list[Tensor], request: Request) -> Completions:
        """Equation 7 from z of R = B * K rows on."""
        image_BCHW, known_B1HW = request.image_BCHW.to(self.device), request.known_B1HW.to(self.device)
        samples = len(z[0]) // len(image_BCHW)
        with exact(), self._phase("invert"):
            small_Rchw = self.prior.decode(z, conditions)
        with exact(), self._phase("texture"):
            prior_RCHW = enlarged(small_Rchw, image_BCHW.shape[-1])
            raw_RCHW = prior_RCHW
            if self.params.texture:
                images = (x.repeat_interleave(samples, 0) for x in (image_BCHW, known_B1HW))
                raw_RCHW = self.decoder(small_Rchw, *images).clamp(-1, 1)
        side = {"prior": prior_RCHW.unflatten(0, (-1, samples))[:, 0]}
        return Completions(raw_RCHW.unflatten(0, (-1, samples)), side, dict(self._phase.seconds))


def raw_output(params: Params, parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Where G corrects its input: that has the known pixels, so that they are not G's own."""
    corrects = params.texture and parts["decoder"]["correct"]
    return "a composite of prior and known pixels plus a correction" if corrects else ""


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> Inpainter:
    """The inpainter on its device."""
    return Inpainter(params, parents, device)
