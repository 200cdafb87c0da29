"""The guided texture generator: whole pictures from structural priors (paper 003, Sec. 3.3, eq. 8-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained, UserError
from stages.images.pixels import LEVELS, composite, shrink_masked
from stages.losses.adversarial import Adversarial, discriminator_loss, generator_loss
from stages.losses.pixels import psnr
from stages.losses.tally import Tally
from stages.methods.flow_fill import prior
from stages.methods.flow_fill.blocks.degradation import Teacher
from stages.methods.flow_fill.blocks.generator import Generator, Sizes, enlarged
from stages.nets.spectral_discriminator import SpectralDiscriminator
from stages.training.schedules import Halved, Schedule

PARENTS: tuple[str, ...] = ("prior",)
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "what is noise in z': the finest levels whole, of which G sees their bands alone; coarser bands stay the truth's",
    "where pixels are known is an input of G; the prior is up-sampled bicubically",
    "G has no instance norm, pads by zeros, grows its maps by nearest neighbours, and a residual block's second "
    "convolution is linear",
    "eq. 8 for G by its non-saturating form",
    "spectral norm, shape and rate of the discriminator as in ICT",
    "a stem, an LPIPS term and a G that corrects its input, each where params say so",
)

BETAS = (0.0, 0.9)  # paper Sec. 4.1
LOSS: Adversarial = "nonsaturating"  # eq. 8 by the form that trains; ICT's


class Params(Halved, Sizes):
    """G_phi, its adversary and its training; the paper's by default. What the paper leaves open says "ours"."""

    lr: float = Field(default=1e-4, gt=0)  # paper Sec. 4.1
    degraded: int = Field(default=1, ge=0)  # finest levels of z whose bands are noise in training; ours
    l1: float = Field(default=1.0, ge=0)  # lambda_2; paper Sec. 3.3
    adversarial: float = Field(default=0.1, ge=0)  # lambda_1; paper Sec. 3.3
    lpips: float = Field(default=0.0, ge=0)  # paper: none; ours, for small budgets
    lpips_net: Literal["alex", "squeeze", "vgg"] = "alex"  # of that term and of the figures
    discriminator_width: int = Field(default=64, ge=1)  # ICT's; spectral norm too: the paper says neither
    discriminator_share: float = Field(default=0.1, gt=0)  # its rate over G's; ICT's


def restore(trained: Trained) -> Generator:
    """The released generator, frozen, on the CPU."""
    model = Generator(Params.model_validate(trained.params))
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class DecoderPart:
    """Learns pictures from their masked part and a slightly disturbed prior of the truth."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], accelerator: Accelerator) -> None:
        self.params, self.accelerator = params, accelerator
        self.teacher = Teacher(prior.restore(parents["prior"]), accelerator)
        self.model = cast(Generator, accelerator.prepare(Generator(params)))
        self.optimizer = Adam(self.model.parameters(), betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)
        self.critic = accelerator.prepare(SpectralDiscriminator(3, params.discriminator_width))
        self.critic_optimizer = Adam(self.critic.parameters(), betas=BETAS)
        self.critic_schedule = Schedule(self.critic_optimizer, params, params.discriminator_share)
        self.perceptual = accelerator.perceptual(params.lpips_net)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        prior_Bchw = self.teacher.disturbed(batch, self.params.degraded)
        with self.accelerator.autocast():
            raw_BCHW = self.model(prior_Bchw, batch.image_BCHW, batch.known_B1HW)
        loss, scalars = self._loss(raw_BCHW, batch)
        self.accelerator.minimize(loss, self.optimizer)
        scalars["discriminator"] = self._learn_to_tell(batch.image_BCHW, raw_BCHW.detach())
        return scalars

    def _loss(self, raw_BCHW: Tensor, batch: Batch) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Equation 10 for G, and its terms by name; a term that weighs nothing is 0 and costs nothing."""
        terms = {"l1": F.l1_loss(raw_BCHW, batch.image_BCHW), "adversarial": raw_BCHW.new_zeros(())}
        with self.accelerator.autocast():
            if self.params.adversarial:
                terms["adversarial"] = generator_loss(LOSS, self.critic(raw_BCHW))
            if self.perceptual is not None:
                terms["lpips"] = raw_BCHW.new_zeros(())
                if self.params.lpips:
                    terms["lpips"] = self.perceptual(raw_BCHW, batch.image_BCHW).float().mean()
        weights = {"l1": self.params.l1, "adversarial": self.params.adversarial, "lpips": self.params.lpips}
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        return loss, {name: term.detach() for name, term in terms.items()}

    def _learn_to_tell(self, real_BCHW: Tensor, fake_BCHW: Tensor) -> Tensor:
        """Equation 8 for D, on real and made pictures at once: one estimate of the spectral norms a step."""
        if not self.params.adversarial:
            return real_BCHW.new_zeros(())
        with self.accelerator.autocast():
            real, fake = self.critic(torch.cat([real_BCHW, fake_BCHW])).chunk(2)
        loss = discriminator_loss(LOSS, real, fake)
        self.accelerator.minimize(loss, self.critic_optimizer)
        return loss.detach()

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """In the hole, PSNR in dB and L1 in % of the range; LPIPS of the composite.

        By the prior that G is given: `true` (the shrunken truth), `sampled` (the flow's draw); `enlarged` is the
        sampled prior up-sampled without G. `disturbance` is how far the disturbed prior is from the truth in the hole
        (mean absolute, in grey levels of 255).
        """
        tally = Tally()
        true_Bchw, drawn_Bchw = self.teacher.true(batch), self.teacher.drawn(batch)
        self._add(tally, "true", self._made(true_Bchw, batch), batch)
        self._add(tally, "sampled", self._made(drawn_Bchw, batch), batch)
        self._add(tally, "enlarged", enlarged(drawn_Bchw, batch.image_BCHW.shape[-1]), batch)
        self._add_disturbance(tally, true_Bchw, batch)
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means over all images."""
        return tally.means()

    def _add(self, tally: Tally, name: str, raw_BCHW: Tensor, batch: Batch) -> None:
        hole_B1HW = 1 - batch.known_B1HW
        tally.mean(f"psnr_{name}", psnr(raw_BCHW, batch.image_BCHW, hole_B1HW), hole_B1HW.sum((1, 2, 3)) > 0)
        l1_BCHW = 50 * (raw_BCHW - batch.image_BCHW).abs()
        tally.mean(f"l1_{name}", l1_BCHW, hole_B1HW.expand_as(l1_BCHW))
        if self.perceptual is not None:
            whole_BCHW = composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW)
            tally.mean(f"lpips_{name}", self.perceptual(whole_BCHW, batch.image_BCHW))

    def _add_disturbance(self, tally: Tally, true_Bchw: Tensor, batch: Batch) -> None:
        moved_Bchw = self.teacher.disturbed(batch, self.params.degraded) - true_Bchw
        _, known_B1hw = shrink_masked(batch.image_BCHW, batch.known_B1HW, true_Bchw.shape[-1])
        tally.mean("disturbance", LEVELS * moved_Bchw.abs(), (1 - known_B1hw).expand_as(moved_Bchw))

    def _made(self, prior_Bchw: Tensor, batch: Batch) -> Tensor:
        return self.model(prior_Bchw, batch.image_BCHW, batch.known_B1HW).clamp(-1, 1)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """The image, G's raw output for the true and for a sampled prior, that prior, and a disturbed one."""
        drawn_Bchw = self.teacher.drawn(batch)
        return {
            "image": batch.image_BCHW,
            "true": self._made(self.teacher.true(batch), batch),
            "sampled": self._made(drawn_Bchw, batch),
            "prior": drawn_Bchw,
            "disturbed": self.teacher.disturbed(batch, self.params.degraded),
        }

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        critic: dict[str, Stateful] = {"critic": self.critic, "critic_optimizer": self.critic_optimizer}
        return {**own, **critic, "critic_schedule": self.critic_schedule}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> DecoderPart:
    """The part, ready to learn; UserError where more levels are to be disturbed than the prior has."""
    part = DecoderPart(params, parents, accelerator)
    levels = len(part.teacher.net.latents)
    if params.degraded > levels:
        raise UserError(
            f"params: methods.flow_fill.decoder.degraded = {params.degraded}, but the prior has {levels} levels; "
            f"choose {levels} or fewer"
        )
    return part
