"""Pluralistic completion: structures drawn code by code, each completed by its texture (paper 001, Sec. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from stages import contract
from stages.contract import Completions, Request, Trained
from stages.methods.dsi import decoder, prior, vq
from stages.methods.dsi.blocks.attention import known_cells
from stages.methods.dsi.sampling.code_colours import colours
from stages.methods.dsi.sampling.sampler import Rule, StructureSampler
from stages.sampling.timing import Phases

PARENTS: tuple[str, ...] = ("vq", "prior", "decoder")
SHARED: tuple[str, ...] = ()

SHOWN = 4  # samples of an image whose structures are shown
MARGIN = 1  # cells around a hole that count as its own: their codes were read beside blanks; ours


class Params(contract.Params):
    """How structures are drawn; the paper's by default: every position, from the learnt distribution as it is."""

    positions: Literal["all", "hole"] = "all"  # hole: known positions keep the codes that the encoder reads there
    temperature: float = Field(default=1.0, gt=0)
    top_k: int = Field(default=0, ge=0)  # only the likeliest codes are drawn; 0: all
    top_p: float = Field(default=1.0, gt=0, le=1)  # only the likeliest codes of that probability together; 1: all

    def rule(self) -> Rule:
        """The sampler's part of it."""
        return Rule(self.temperature, self.top_k, self.top_p)


class Inpainter:
    """vq, prior and decoder in one. Float32 throughout; raw output, nothing is clamped to what is known."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], device: torch.device) -> None:
        self.params, self.device = params, device
        self.vq = vq.restore(parents["vq"]).to(device)
        self.prior = prior.restore(parents["prior"], parents["vq"]).to(device)
        self.decoder = decoder.restore(parents["decoder"], parents["vq"]).to(device)
        self._phase = Phases(device)

    @torch.no_grad()
    def sample(self, request: Request) -> Completions:
        """K completions an image; condition and masked image go through their networks once, for all its samples."""
        image_BCHW, known_B1HW = request.image_BCHW.to(self.device), request.known_B1HW.to(self.device)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            with self._phase("condition"):
                condition_BCHW = self.prior.condition(image_BCHW, known_B1HW)
            with self._phase("structure"):
                sampler = StructureSampler(self.prior, condition_BCHW, request.seeds_BK, self.params.rule())
                codes_RHW = sampler.draw(*self._given(image_BCHW, known_B1HW))
            with self._phase("texture"):
                raw_RCHW = self._texture(image_BCHW, known_B1HW, codes_RHW, request.seeds_BK.shape[1])
        codes_BKHW = codes_RHW.unflatten(0, request.seeds_BK.shape)
        raw_BKCHW = raw_RCHW.unflatten(0, request.seeds_BK.shape)
        return Completions(raw_BKCHW, self._side(codes_BKHW), dict(self._phase.seconds), {"structures": codes_BKHW})

    def _given(self, image_BCHW: Tensor, known_B1HW: Tensor) -> tuple[Tensor, Tensor] | tuple[()]:
        """(known_BHW, codes_BHW) of the positions that are not drawn; nothing where all are."""
        if self.params.positions == "all":
            return ()
        codes_BHW = self.vq.structure_codes(image_BCHW)
        hole_B1HW = 1 - known_cells(known_B1HW, codes_BHW.shape[1])
        near_B1HW = F.max_pool2d(hole_B1HW, 2 * MARGIN + 1, 1, MARGIN)
        return near_B1HW[:, 0] == 0, codes_BHW

    def _texture(self, image_BCHW: Tensor, known_B1HW: Tensor, codes_RHW: Tensor, samples: int) -> Tensor:
        seen = self.decoder.see(image_BCHW, known_B1HW, codes_RHW.shape[1])
        return self.decoder.compose(seen.repeated(samples), self.vq.structure_codebook.look_up(codes_RHW))

    def _side(self, codes_BKHW: Tensor) -> dict[str, Tensor]:
        """D(s, 0) of the first samples; the first one's codes as colours."""
        shown = codes_BKHW[:, :SHOWN].unbind(1)
        names = ["structure", *(f"structure-{k:02d}" for k in range(1, len(shown)))]
        pictures = {name: self.vq.structure_alone(codes) for name, codes in zip(names, shown, strict=True)}
        return {**pictures, "structure_codes": colours(shown[0], pictures["structure"].shape[3])}


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> Inpainter:
    """The inpainter on its device."""
    return Inpainter(params, parents, device)
