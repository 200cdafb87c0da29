"""The generator's training: StyleGAN2 on whole images, the prior that an encoder inverts (paper 002, Sec. 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from pydantic import Field
from torch import Tensor

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.losses.adversarial import discriminator_loss, generator_loss, gradient_penalty
from stages.losses.tally import Tally
from stages.methods.mm_invertfill.blocks import generator
from stages.methods.mm_invertfill.blocks.generator import Generator, Sizes, mean_style
from stages.methods.mm_invertfill.blocks.judge import Judge
from stages.methods.mm_invertfill.blocks.turns import Turns
from stages.nets.precision import full_precision
from stages.nets.seeded import generators
from stages.training.schedules import Rate

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open: it names StyleGAN2 and no more
    "StyleGAN2's configuration F: widths, rates, penalties and their turns as in its paper",
    "the discriminator learns from the pictures that the generator has just made, not from new ones",
    "augmentation for small sets, where params say so: a part of ADA's changes, as likely as the last batches ask for",
    "penalties in float32 whatever the precision",
)

TRUNCATED = 0.7  # of the way from the mean style, in one of the pictures
MEAN_OF = 1024  # styles whose mean that is


class Params(Rate, Sizes):
    """G, its opponent and their training; StyleGAN2's by default."""

    lr: float = Field(default=2e-3, gt=0)  # StyleGAN2: constant
    r1: float = Field(default=10.0, ge=0)  # gamma; StyleGAN2
    r1_every: int = Field(default=16, ge=1)  # steps; StyleGAN2
    path: float = Field(default=2.0, ge=0)  # weight of path lengths; StyleGAN2
    path_every: int = Field(default=8, ge=1)  # steps; StyleGAN2: 8 (config F's code: 4)
    path_share: float = Field(default=0.5, gt=0, le=1)  # of a batch, for memory; StyleGAN2
    mixing: float = Field(default=0.9, ge=0, le=1)  # pictures of two styles; StyleGAN
    augment: float = Field(default=0.0, ge=0, le=1)  # ADA's target (its paper: 0.6); 0: off, as in StyleGAN2
    augment_images: int = Field(default=500_000, ge=1)  # in which p may go from 0 to 1; ADA


def restore(trained: Trained) -> Generator:
    """The released generator, frozen, on the CPU."""
    return generator.restore(trained)


class PriorPart:
    """Learns to make pictures that the judge takes for real."""

    def __init__(self, params: Params, spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator = params, accelerator
        self.model = cast(Generator, accelerator.prepare(Generator(params, spec)))
        self.turns = Turns(self.model, params, params.path_every if params.path else 0)
        self.critic = cast(Judge, accelerator.prepare(Judge(params, spec, params.augment > 0)))
        self.critic_turns = Turns(self.critic, params, params.r1_every if params.r1 else 0)
        self.frechet = accelerator.frechet()

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        due, critic_due = self.turns.due, self.critic_turns.due
        with self.accelerator.autocast():
            fake_BCHW = self._made(len(batch.keys), batch.image_BCHW.device)
            loss = generator_loss("nonsaturating", self.critic(fake_BCHW))
        self.accelerator.minimize(loss, self.turns.optimizer)
        scalars: dict[str, float | Tensor] = {"generator": loss.detach()}
        if due:
            scalars["path"] = self._even_out(batch)
        scalars |= self._learn_to_tell(batch.image_BCHW, fake_BCHW.detach())
        if critic_due:
            scalars["r1"] = self._smooth(batch.image_BCHW)
        return scalars

    def _made(self, count: int, device: torch.device) -> Tensor:
        """Pictures of random styles and noise; some of one style down to a random layer and of another from there."""
        return self.model(self._styles(count, device), self.model.noise(count, device))

    def _styles(self, count: int, device: torch.device) -> Tensor:
        z_RD = torch.randn(2 * count, self.model.latent, device=device)
        w_BLD, other_BLD = self.model.broadcast(self.model.mapping(z_RD)).chunk(2)
        layers, mixed_B = self.model.layers, torch.rand(count, device=device) < self.params.mixing
        first_B = torch.where(mixed_B, torch.randint(1, layers, (count,), device=device), layers)
        return torch.where(
            torch.arange(layers, device=device)[None, :, None] < first_B[:, None, None], w_BLD, other_BLD
        )

    def _even_out(self, batch: Batch) -> Tensor:
        """One descent of the generator on its path lengths; the weight makes up for the turns left out."""
        count, device = max(1, round(self.params.path_share * len(batch.keys))), batch.image_BCHW.device
        with full_precision(batch.image_BCHW):
            w_BLD = self._styles(count, device)
            penalty = self.critic.path(self.model(w_BLD, self.model.noise(count, device)), w_BLD)
        self.accelerator.minimize(self.params.path * self.params.path_every * penalty, self.turns.optimizer)
        return penalty.detach()

    def _learn_to_tell(self, real_BCHW: Tensor, fake_BCHW: Tensor) -> dict[str, Tensor]:
        """One descent of the judge; p of the augmentation follows what it finds of real pictures."""
        with self.accelerator.autocast():
            real, fake = self.critic(real_BCHW), self.critic(fake_BCHW)
        loss = discriminator_loss("nonsaturating", real, fake)
        self.accelerator.minimize(loss, self.critic_turns.optimizer)
        if self.params.augment:
            self.critic.augment.adapt(real, self.params.augment, self.params.augment_images)
        return {
            "discriminator": loss.detach(),
            "told_real": real.detach().float().sign().mean(),
            "p": self.critic.augment.p.clone(),
        }

    def _smooth(self, real_BCHW: Tensor) -> Tensor:
        """One descent of the judge on R1, gamma / 2 E |grad D(real)|^2."""
        real_BCHW = real_BCHW.detach().clone().requires_grad_()
        with full_precision(real_BCHW):
            penalty = gradient_penalty("squared", self.critic(real_BCHW), real_BCHW)
        self.accelerator.minimize(self.params.r1 / 2 * self.params.r1_every * penalty, self.critic_turns.optimizer)
        return penalty.detach()

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """Features of val images and of as many made ones (an image's seed: one picture)."""
        tally = Tally()
        if self.frechet is not None:
            tally.keep("real", self.frechet.features(batch.image_BCHW))
            tally.keep("fake", self.frechet.features(self.draw(batch.seeds_B).clamp(-1, 1)))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """fd_alexnet_<n>: Frechet distance of n val images and as many made ones; none of fewer than two."""
        real_ND, fake_ND = tally.rows("real"), tally.rows("fake")
        if self.frechet is None or len(real_ND) < 2:
            return {}
        return {f"fd_alexnet_{len(real_ND)}": self.frechet.distance(real_ND, fake_ND)}

    def draw(self, seeds_B: Tensor, kept: float = 1.0) -> Tensor:
        """A picture a seed; `kept` of the way from the mean style to its own."""
        owners, device = generators(seeds_B), next(self.model.parameters()).device
        z_BD = torch.stack([torch.randn(self.model.latent, generator=owner) for owner in owners]).to(device)
        mean_D = mean_style(self.model, MEAN_OF, torch.Generator().manual_seed(0)) if kept < 1 else 0.0
        w_BD = mean_D + kept * (self.model.mapping(z_BD) - mean_D)
        noise = [map_B1HW.to(device) for map_B1HW in self.model.seeded_noise(owners)]
        return self.model(self.model.broadcast(w_BD), noise)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Real images; pictures made of the same seeds at every evaluation, whole and drawn towards the mean style."""
        made = {"made": self.draw(batch.seeds_B), "towards_mean": self.draw(batch.seeds_B, TRUNCATED)}
        return {"image": batch.image_BCHW, **{name: picture_BCHW.clamp(-1, 1) for name, picture_BCHW in made.items()}}

    def state(self) -> dict[str, Stateful]:
        return {
            "model": self.model,
            "optimizer": self.turns.optimizer,
            "schedule": self.turns.schedule,
            "critic": self.critic,
            "critic_optimizer": self.critic_turns.optimizer,
            "critic_schedule": self.critic_turns.schedule,
        }


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> PriorPart:
    """The part, ready to learn."""
    return PriorPart(params, spec, accelerator)
