"""Pluralistic completion by the flow's inverse, texture by the generator (paper 003, eq. 7); transfer; likelihood."""

from __future__ import annotations

from collections.abc import Mapping

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
        z = [self.params.temperature * z_RCHW for z_RCHW in normal(generators(request.seeds_BK), self.prior.latents)]
        with exact(), self._phase("condition"):
            conditions = self._conditions(request)
        return self._complete(z, conditions, request)

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
    def log_likelihood(self, request: Request, completions: Completions) -> Tensor:
        """log p(I_s | I_m) of the completions as they are at the stage-1 size, in nats (B, K).

        The density at the shrunken completion itself, times the volume of a level of the prior's bit depth: the part
        that G adds is a function of I_s and I_m and has no likelihood of its own.
        """
        raw_RCHW = completions.raw_BKCHW.to(self.device).flatten(0, 1)
        with exact():
            nats_R = self.prior.nats(continuous(self.prior.shrunk(raw_RCHW)), self._conditions(request))
        return -nats_R.unflatten(0, completions.raw_BKCHW.shape[:2])

    def _conditions(self, request: Request) -> list[Tensor]:
        return self.prior.conditions(request.image_BCHW.to(self.device), request.known_B1HW.to(self.device))

    def _complete(self, z: list[Tensor], conditions: list[Tensor], request: Request) -> Completions:
        """Equation 7 from z of R = B * K rows on."""
        image_BCHW, known_B1HW = request.image_BCHW.to(self.device), request.known_B1HW.to(self.device)
        samples = len(z[0]) // len(image_BCHW)
        with exact(), self._phase("invert"):
            small_Rchw = self.prior.decode([z_RCHW.to(self.device) for z_RCHW in z], conditions)
        with exact(), self._phase("texture"):
            prior_RCHW = enlarged(small_Rchw, image_BCHW.shape[-1])
            raw_RCHW = prior_RCHW
            if self.params.texture:
                images = (x.repeat_interleave(samples, 0) for x in (image_BCHW, known_B1HW))
                raw_RCHW = self.decoder(small_Rchw, *images).clamp(-1, 1)
        side = {"prior": prior_RCHW.unflatten(0, (-1, samples))[:, 0]}
        return Completions(raw_RCHW.unflatten(0, (-1, samples)), side, dict(self._phase.seconds))


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> Inpainter:
    """The inpainter on its device."""
    return Inpainter(params, parents, device)
