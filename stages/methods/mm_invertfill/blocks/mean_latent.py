"""The soft-update mean latent: the style that the encoder's are held to, ever on the move (paper 002, Sec. 3.3.3)."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from stages.contract import Params
from stages.methods.mm_invertfill.blocks.generator import Generator, mean_style


class MeanParams(Params):
    """How the mean latent moves; the paper's numbers are lost, these are ours."""

    kind: Literal["soft", "static"] = "soft"  # static: one mean for all of the training (pSp; Table 5, without SML)
    tau: float = Field(default=0.001, ge=0, le=1)  # share of the online mean that the target takes; ours: DDPG's
    samples: int = Field(default=4096, ge=1)  # styles of a mean; ours: a habit of StyleGAN2's users
    every: int = Field(default=500, ge=1)  # steps between two draws of the online mean; ours


class MeanLatent:
    """Target and online mean (D,). Draws hang on their number alone, so all ranks and a resumed run have the same."""

    def __init__(self, model: Generator, params: MeanParams) -> None:
        self.model, self.params, self.steps = model, params, 0
        self.target_D, self.online_D = self._draw(0), self._draw(1)

    def follow(self, steps: int) -> None:
        """Move on until `steps` steps are done: target <- tau online + (1 - tau) target each, online drawn anew."""
        while self.steps < steps and self.params.kind == "soft":
            self.steps += 1
            self.target_D = torch.lerp(self.target_D, self.online_D, self.params.tau)
            if self.steps % self.params.every == 0:
                self.online_D = self._draw(1 + self.steps // self.params.every)

    def _draw(self, number: int) -> Tensor:
        return mean_style(self.model, self.params.samples, torch.Generator().manual_seed(number))

    def state_dict(self) -> dict[str, Any]:
        """torch's state protocol."""
        return {"target": self.target_D, "online": self.online_D, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """torch's state protocol."""
        device = self.target_D.device
        self.target_D, self.online_D = state["target"].to(device), state["online"].to(device)
        self.steps = state["steps"]


@torch.no_grad()
def style_spread(model: Generator, count: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of `count` styles, (D,) each."""
    z_RD = torch.randn(count, model.latent, generator=torch.Generator().manual_seed(0))
    w_RD = model.mapping(z_RD.to(model.constant.device))
    return w_RD.mean(0), w_RD.std(0)
