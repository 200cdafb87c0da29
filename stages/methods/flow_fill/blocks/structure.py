"""The first stage as a network: a conditional flow over small images (paper 003, Sec. 3.1).

Axes: B images, R = B * K rows (K samples of each image, one after the other), h w the stage-1 size.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import log

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from stages.contract import Params, Spec, UserError
from stages.images.pixels import shrink_masked
from stages.methods.flow_fill.blocks import depth
from stages.methods.flow_fill.blocks.extractor import Extractor
from stages.nets.glow import ConditionalGlow, FlowShape, Permutation, standard_normal

SMALLEST = 4  # cells along a side of E_theta's finest map: it is halved twice


class Sizes(Params):
    """The flow f_theta and its feature extractor E_theta."""

    stage1: float = Field(default=0.25, gt=0, le=1)  # the prior's side over the picture's; paper: 64 of 256 (Table 4)
    bits: int = Field(default=5, ge=1, le=8)  # a value; ours: the paper says nothing, Glow and SRFlow take 5 for faces
    levels: int = Field(default=4, ge=1)  # L; paper, eq. 11
    flow_steps: int = Field(default=10, ge=1)  # K a level; paper, eq. 11
    hidden: int = Field(default=64, ge=1)  # of the affine layers' networks; SRFlow's
    clamp: float = Field(default=2.0, gt=0)  # largest |log scale|; ours: eq. 5-6 have a bare exp, which overflows
    permutation: Permutation = "fixed"  # W; paper Sec. 3.2. haar: fixed too, of bands; ours. learned: Glow's
    injector: bool = True  # eq. 6 in every step; false: eq. 5 alone, an ablation
    draft: float = Field(default=0.0, ge=0)  # weight of an L1 of E_theta's draft, which ft then has; ours. 0: neither
    condition: int = Field(default=64, ge=1)  # channels of ft; ours
    condition_kernel: int = Field(default=3, ge=1)  # through which ft enters; SRFlow's, 1 costs a ninth
    width: int = Field(default=64, ge=1)  # of E_theta; DeepFill v2's ports
    dilations: tuple[int, ...] = (2, 4, 8, 16)  # of E_theta; DeepFill v2's
    stem: int = Field(default=1, ge=1)  # pixels along a side folded into channels by E_theta; 1: none, as in DeepFill

    def side(self, spec: Spec) -> int:
        """The stage-1 size for pictures of a size."""
        side = round(self.stage1 * spec.size)
        unit = self.stem if self.stem % 2 == 0 else 2 * self.stem  # one squeeze, and the stem
        if abs(side - self.stage1 * spec.size) > 1e-6 or side % unit or side < SMALLEST * self.stem:
            raise UserError(
                f"params: methods.flow_fill.prior.stage1 = {self.stage1} of {spec.size} px gives a side of "
                f"{self.stage1 * spec.size:g}; choose a share that gives {SMALLEST * self.stem} px or more, in {unit}s"
            )
        return side

    def fitting_levels(self, spec: Spec) -> int:
        """L, or as many levels as the side can be halved (a smaller L is said, and is a figure on the card)."""
        side, levels = self.side(spec), 0
        while levels < self.levels and side % 2 == 0:
            side, levels = side // 2, levels + 1
        if levels < self.levels:
            warnings.warn(
                f"flow_fill: a side of {self.side(spec)} px has {levels} levels, not {self.levels}", stacklevel=2
            )
        return levels

    def shape(self, spec: Spec) -> FlowShape:
        """The flow's shape for pictures of a size."""
        return FlowShape(
            channels=3,
            levels=self.fitting_levels(spec),
            steps=self.flow_steps,
            hidden=self.hidden,
            condition=self.condition,
            kernel=self.condition_kernel,
            clamp=self.clamp,
            permutation=self.permutation,
            injector=self.injector,
        )


class Structure(nn.Module):
    """f_theta and E_theta: how likely a small image is given the masked one, and draws of it."""

    def __init__(self, sizes: Sizes, spec: Spec) -> None:
        super().__init__()
        shape = sizes.shape(spec)
        self.side, self.bits = sizes.side(spec), sizes.bits
        self.latents = shape.latents(self.side)
        self.extractor = Extractor(
            sizes.width, sizes.dilations, sizes.stem, shape.levels, sizes.condition, tells_draft=sizes.draft > 0
        )
        self.flow = ConditionalGlow(shape)

    def shrunk(self, image_BCHW: Tensor) -> Tensor:
        """I_s of eq. 3: the image at the stage-1 size, by its areas' means."""
        return F.adaptive_avg_pool2d(image_BCHW, self.side)

    def conditions(self, image_BCHW: Tensor, known_B1HW: Tensor) -> list[Tensor]:
        """ft = E_theta(I_m shrunk), a map a level, of pictures at full size; no hole content can enter."""
        return self._told(image_BCHW, known_B1HW)[0]

    def draft(self, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        """E_theta's coarse draft at the stage-1 size, known pixels put back; no hole content can enter."""
        return self._told(image_BCHW, known_B1HW)[1]

    def encode(self, x_Rchw: Tensor, conditions: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        """(z, log density of x in nats (R,)): eq. 3, of values in [-1/2, 1/2]."""
        latents, logdet_R = self.flow(x_Rchw, conditions)
        return latents, standard_normal(latents) + logdet_R

    def decode(self, latents: Sequence[Tensor], conditions: Sequence[Tensor]) -> Tensor:
        """I_s = f^-1(z; ft) in [-1, 1], clamped; conditions of B images serve R = B * K latents."""
        return depth.picture(self.flow.inverse(latents, conditions))

    def nats(self, x_Rchw: Tensor, conditions: Sequence[Tensor]) -> Tensor:
        """-log probability of the levels of a dequantised image in nats, (R,): eq. 4 plus log of a level's volume."""
        values = x_Rchw[0].numel()
        return values * self.bits * log(2) - self.encode(x_Rchw, conditions)[1]

    def bits_per_dim(self, nats_R: Tensor) -> Tensor:
        """Over all values, colours included. (SRFlow's are per pixel: three times these; per image: times 3 h w.)"""
        return nats_R / (log(2) * 3 * self.side**2)

    def forward(self, x_Bchw: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> tuple[Tensor, Tensor]:
        """(bits per dimension of dequantised small images given the masked pictures, L1 of the draft), (B,) each."""
        conditions, draft_Bchw = self._told(image_BCHW, known_B1HW)
        error_B = (draft_Bchw - self.shrunk(image_BCHW)).abs().mean((1, 2, 3))
        return self.bits_per_dim(self.nats(x_Bchw, conditions)), error_B

    def _told(self, image_BCHW: Tensor, known_B1HW: Tensor) -> tuple[list[Tensor], Tensor]:
        return self.extractor(*shrink_masked(image_BCHW, known_B1HW, self.side))


def exact() -> AbstractContextManager[None]:
    """Convolutions in full float32 on GPUs, too: an inverse undoes its forward only as exactly as both are computed."""
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def zeroed(conditions: Sequence[Tensor]) -> list[Tensor]:
    """ft = 0: the flow told nothing."""
    return [torch.zeros_like(condition_BCHW) for condition_BCHW in conditions]
