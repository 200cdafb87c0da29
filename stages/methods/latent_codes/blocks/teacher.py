"""Networks on the loop's device: a part's own, and the frozen vq that tells every other part the tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from stages.contract import Accelerator, Trained
from stages.methods.latent_codes import vq

Module = TypeVar("Module", bound=nn.Module)


def prepared(module: Module, accelerator: Accelerator) -> Module:
    """The module as the loop prepared it, of its own type."""
    return cast(Module, accelerator.prepare(module))


class Teacher:
    """The vq, for its tokens; never learns."""

    def __init__(self, parents: Mapping[str, Trained], accelerator: Accelerator) -> None:
        self.params = vq.Params.model_validate(parents["vq"].params)
        self.net, self.accelerator = prepared(vq.restore(parents["vq"]), accelerator), accelerator

    @torch.no_grad()
    def codes(self, image_BCHW: Tensor) -> Tensor:
        """Tokens of whole images (B, H, W), in the precision of training; their distances are taken in float32."""
        with self.accelerator.autocast():
            z_BDHW = self.net.features(image_BCHW)
        return self.net.quantizer.nearest(z_BDHW)

    @torch.no_grad()
    def exact_codes(self, image_BCHW: Tensor) -> Tensor:
        """The same in float32 throughout, for figures."""
        return self.net.codes(image_BCHW)

    @torch.no_grad()
    def vectors(self, codes_BHW: Tensor) -> Tensor:
        """Code vectors as a feature map, (B, D, H, W)."""
        return self.net.quantizer.look_up(codes_BHW)

    @torch.no_grad()
    def picture(self, codes_BHW: Tensor, cells_B1HW: Tensor | None = None) -> Tensor:
        """The codes decoded by the vq alone, in [-1, 1]; cells that are not known hold the zero vector."""
        z_BDHW = self.vectors(codes_BHW)
        return self.net.decode(z_BDHW if cells_B1HW is None else z_BDHW * cells_B1HW).clamp(-1, 1)
