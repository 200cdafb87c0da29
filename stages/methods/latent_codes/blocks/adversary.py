"""A discriminator that learns beside a generator: its judgement, its own descent, its penalty."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Params, Stateful
from stages.losses.adversarial import (
    Adversarial,
    Patches,
    Penalty,
    adaptive_weight,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from stages.nets.discriminator import PatchDiscriminator
from stages.training.schedules import Rate, Schedule

BETAS = (0.5, 0.9)  # Adam's, for VQGAN and decoder alike, as released


class AdversaryParams(Params):
    """The discriminator (PatchGAN) and how much the generator minds it."""

    loss: Adversarial = "nonsaturating"  # paper eq. 10-11; "hinge" as released
    weight: float = Field(default=1.0, ge=0)  # paper eq. 9
    adaptive: bool = False  # times VQGAN's adaptive weight
    start: int = Field(default=0, ge=0)  # generator steps before it begins
    r1: float = Field(default=0.1, ge=0)  # paper eq. 9
    r1_form: Penalty = "norm"  # paper eq. 12; "squared" as released
    r1_logits: Patches = "mean"  # D(x) of an image, from its patches; ours: the losses' mean; "sum" as released
    mask_input: bool = False  # the mask as a fourth channel, as released
    width: int = 64
    layers: int = 3


class Adversary:
    """Judges pictures for a generator and learns to tell real from made."""

    def __init__(self, params: AdversaryParams, rate: Rate, accelerator: Accelerator) -> None:
        self.params, self.accelerator = params, accelerator
        self.net = accelerator.prepare(PatchDiscriminator(4 if params.mask_input else 3, params.width, params.layers))
        self.optimizer = Adam(self.net.parameters(), betas=BETAS)
        self.schedule = Schedule(self.optimizer, rate)

    def state(self, name: str) -> dict[str, Stateful]:
        return {name: self.net, f"{name}_optimizer": self.optimizer, f"{name}_schedule": self.schedule}

    def judge(
        self, fake_BCHW: Tensor, known_B1HW: Tensor, reconstruction: Tensor, last: Tensor, step: int
    ) -> tuple[Tensor, Tensor]:
        """(the generator's weighted loss, the loss itself); zeros before its start."""
        if step < self.params.start or not self.params.weight:
            zero = reconstruction.new_zeros(())
            return zero, zero
        with self.accelerator.autocast():
            logits = self.net(self._see(fake_BCHW, known_B1HW))
        loss = generator_loss(self.params.loss, logits)
        weight = adaptive_weight(reconstruction, loss, last) if self.params.adaptive else 1.0
        return self.params.weight * weight * loss, loss.detach()

    def learn(self, real_BCHW: Tensor, fake_BCHW: Tensor, known_B1HW: Tensor, step: int) -> dict[str, Tensor]:
        """One descent of the discriminator; `step` is the generator's."""
        if step < self.params.start or not self.params.weight:
            zero = real_BCHW.new_zeros(())
            return {"discriminator": zero, "r1": zero}
        penalised = self.params.r1 > 0
        real_BCHW = real_BCHW.detach().clone().requires_grad_(penalised)
        with self.accelerator.autocast():
            real = self.net(self._see(real_BCHW, known_B1HW))
            fake = self.net(self._see(fake_BCHW.detach(), known_B1HW))
        loss = discriminator_loss(self.params.loss, real, fake)
        r1 = self._penalty(real, real_BCHW) if penalised else torch.zeros_like(loss)
        self.accelerator.minimize(loss + self.params.r1 * r1, self.optimizer)
        return {"discriminator": loss.detach(), "r1": r1.detach()}

    def _penalty(self, logits: Tensor, real_BCHW: Tensor) -> Tensor:
        return gradient_penalty(self.params.r1_form, logits, real_BCHW, self.params.r1_logits)

    def _see(self, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        return torch.cat([known_B1HW - 0.5, image_BCHW], 1) if self.params.mask_input else image_BCHW
