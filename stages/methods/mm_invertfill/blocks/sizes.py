"""What the multimodal guided encoder is made of (paper 002, Sec. 3.2-3.3), and what its tables change of it."""

from __future__ import annotations

from math import lcm
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from stages.contract import Params, UserError

LEVELS = (8, 4, 2)  # pixels a cell of each level, the coarsest first; paper Sec. 3.2: three scales

Bottleneck = Literal["acb", "residual", "aot"]
Kind = Literal["adn", "spade", "adain", "conv", "add", "concat", "none"]
Positive = Annotated[int, Field(ge=1)]


class Sizes(Params):
    """The encoder's network; the paper's by default. MMT is its authors' earlier method, as released.

    A key that another one switches off is not read: `patches` without attention, `dilations` of residual blocks,
    `labels` where the dataset has no classes, `premodulation` and `style_heads` without inversion.
    """

    width: int = Field(default=64, ge=1)  # channels at 1/2, doubled at 1/4 and again at 1/8; MMT's
    edges: bool = True  # the edge branch and what it is given; Table 6, Fig. 12
    labels: bool = True  # the label branch and what it is given; Table 6, Fig. 12
    bottleneck: Bottleneck = "acb"  # Table 8 has the others
    bottlenecks: int = Field(default=8, ge=1)  # paper Table 8
    bottleneck_width: int = Field(default=1, ge=1)  # Table 8's second rows of residual and aot: 4
    dilations: tuple[Positive, ...] = Field(default=(1, 2, 3, 4), min_length=1)  # paper: four, lost in the text; MMT's
    attention: Literal["gated", "plain", "none"] = "gated"  # plain: without the gate (MMT's); none: Tables 5 and 7
    patches: tuple[Positive, ...] = Field(default=(2, 4), min_length=1, validate_default=True)  # a head each; MMT's
    fusion: Kind = "adn"  # Table 7 has the others; none: branches do not meet (Table 5, without GMA)
    prior: Literal["unbiased", "biased"] = "unbiased"  # biased: the maps are fused, not the features; Tables 6 and 7
    space: Literal["f_w_plus", "w_plus", "none"] = "f_w_plus"  # w_plus: eq. 5; none: no inversion, as MMT
    premodulation: bool = True  # eq. 4; Table 5
    style_heads: Literal["levels", "layers"] = "levels"  # paper Sec. 3.3: three; layers: one a style, as pSp

    @property
    def channels(self) -> tuple[int, int, int]:
        """Of the picture's branch at each level, the coarsest first."""
        return 4 * self.width, 2 * self.width, self.width

    @property
    def branch_channels(self) -> tuple[int, int, int]:
        """Of a branch beside it; MMT's."""
        return 2 * self.width, 2 * self.width, self.width

    def branches(self, classes: int) -> dict[str, int]:
        """The branches beside the picture's, and how many channels their maps have."""
        found = {"edges": 1 if self.edges else 0, "labels": classes if self.labels else 0}
        return {name: channels for name, channels in found.items() if channels}

    def check(self, size: int, classes: int) -> None:
        """UserError where images of that size do not divide into patches, or no predicted map is there to be fused."""
        cells = lcm(*self.patches) if self.attention != "none" else 2  # instance norms need more than one cell
        if size % (LEVELS[0] * cells):
            raise UserError(
                f"datasets: images of {size} px do not divide into the encoder's patches (methods.mm_invertfill); "
                f"choose a size that is a multiple of {LEVELS[0] * cells}"
            )
        if self.prior == "biased" and not self.branches(classes):
            raise UserError(
                "params: methods.mm_invertfill.encoder.prior: biased fuses predicted maps, but edges are off and the "
                "dataset has no classes; switch edges on or choose unbiased"
            )

    @field_validator("bottleneck_width")
    @classmethod
    def _only_of_comparators(cls, width: int, info: ValidationInfo) -> int:
        if width > 1 and info.data.get("bottleneck") == "acb":
            raise ValueError("acb has one width; set it to 1, or choose the bottleneck residual or aot")
        return width

    @field_validator("patches")
    @classmethod
    def _shares_out(cls, patches: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        width = info.data.get("width", len(patches))
        if width % len(patches):
            raise ValueError(f"width {width} does not share out among {len(patches)} heads; make it a multiple")
        return patches

    @field_validator("prior")
    @classmethod
    def _has_something_to_fuse(cls, prior: str, info: ValidationInfo) -> str:
        if prior == "biased" and info.data.get("fusion") == "none":
            raise ValueError("the fusion none fuses no maps; choose another fusion, or the prior unbiased")
        if prior == "biased" and not (info.data.get("edges") or info.data.get("labels")):
            raise ValueError("without edges and labels there are no maps to fuse; switch one on, or choose unbiased")
        return prior
