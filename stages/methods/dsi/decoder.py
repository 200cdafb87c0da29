"""The texture generator's training: whole pictures from masked ones and their structure (paper 001, eq. 8-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.images.pixels import blank, composite
from stages.losses.adversarial import discriminator_loss, generator_loss
from stages.losses.pixels import psnr
from stages.losses.tally import Tally
from stages.methods.dsi import vq
from stages.methods.dsi.blocks.autoencoder import grid
from stages.methods.dsi.blocks.generator import Sizes, TextureGenerator
from stages.methods.dsi.blocks.judges import ClassifierJudge, FeatureJudge, Judge, Kind
from stages.methods.dsi.blocks.teacher import Teacher
from stages.nets.sn_patchgan import SnPatchGan
from stages.training.schedules import Cosine, Schedule

PARENTS: tuple[str, ...] = ("vq",)
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "widths, dilations and the discriminator's layers as released; gated up-sampling by nearest neighbours",
    "mean and deviation of attention's distances are each query's, as released; no smoothing of scores (released: one)",
    "feature losses are means over positions, as released, on the features of the composite before quantisation",
    "perceptual and style losses with the weights of Liu et al. 2018, on the composite alone",
    "a hole of no known cell borrows from all cells in the scope cross",
    "an LPIPS term and a stem, where params say so",
)

BETAS = (0.5, 0.999)  # Adam's; paper Sec. 4.1 (the second: Adam's own)


class Params(Cosine, Sizes):
    """G_t, its judges and its training; the paper's by default. What the paper leaves open says "ours"."""

    lr: float = Field(default=1e-4, gt=0)  # paper Sec. 4.1, constant; of G_t and D_t
    l1: float = Field(default=1.0, ge=0)  # alpha_l1; paper Sec. 4.1
    adversarial: float = Field(default=1.0, ge=0)  # alpha_adv; paper Sec. 4.1
    feature: float = Field(default=0.1, ge=0)  # alpha_f; paper Sec. 4.1
    feature_losses: Kind = "both"  # Table 3
    classifier: Literal["alex", "squeeze", "vgg"] = "vgg"  # of perceptual_style (Table 3)
    lpips: float = Field(default=0.0, ge=0)  # paper: none; ours, for small budgets
    lpips_net: Literal["alex", "squeeze", "vgg"] = "alex"  # of that term and of the figures
    discriminator_width: int = Field(default=64, ge=1)  # DeepFill v2's


def restore(trained: Trained, parent: Trained) -> TextureGenerator:
    """The released generator over the codes of the vq `parent`, frozen, on the CPU."""
    channels = vq.Params.model_validate(parent.params).channels
    model = TextureGenerator(Params.model_validate(trained.params), channels)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class DecoderPart:
    """Learns to recover whole images from their visible part and their true structure."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator, self.teacher = params, accelerator, Teacher(parents, accelerator)
        self.side = grid(spec)
        model = TextureGenerator(params, self.teacher.params.channels)
        self.model = cast(TextureGenerator, accelerator.prepare(model))
        self.optimizer = Adam(self.model.parameters(), betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)
        self.critic = accelerator.prepare(SnPatchGan(params.discriminator_width))
        self.critic_optimizer = Adam(self.critic.parameters(), betas=BETAS)
        self.critic_schedule = Schedule(self.critic_optimizer, params)
        self.perceptual = accelerator.perceptual(params.lpips_net)
        self.judge = self._judge()

    def _judge(self) -> Judge | None:
        """Who judges features; None where nobody does, or where the classifier's weights cannot be had (told)."""
        params = self.params
        if params.feature_losses == "perceptual_style":
            features = self.accelerator.features(params.classifier)
            return None if features is None else ClassifierJudge(features, self.accelerator)
        if params.feature_losses == "none" or not params.feature:
            return None
        return FeatureJudge(params.feature_losses, params.feature, params.attention.distance, self.teacher)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        s_BDHW = self.teacher.vectors(self.teacher.codes(batch.image_BCHW))
        with self.accelerator.autocast():
            raw_BCHW = self.model(batch.image_BCHW, batch.known_B1HW, s_BDHW)
        whole_BCHW = composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW)
        terms = self._terms(raw_BCHW, whole_BCHW, batch)
        self.accelerator.minimize(torch.stack([weight * term for weight, term in terms.values()]).sum(), self.optimizer)
        learned = self._learn_to_tell(whole_BCHW.detach(), batch)
        return {**{name: term.detach() for name, (_, term) in terms.items()}, "discriminator": learned}

    def _terms(self, raw_BCHW: Tensor, whole_BCHW: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        """The generator's losses with their weights, by name (eq. 12); what weighs nothing is 0 and costs nothing."""
        zero, params = raw_BCHW.new_zeros(()), self.params
        terms = {"l1": (params.l1, F.l1_loss(raw_BCHW, batch.image_BCHW)), "adversarial": (params.adversarial, zero)}
        with self.accelerator.autocast():
            if params.adversarial:  # eq. 10
                logits = self.critic(whole_BCHW, 1 - batch.known_B1HW)
                terms["adversarial"] = (params.adversarial, generator_loss("hinge", logits))
            if self.perceptual is not None:
                distance_B = self.perceptual(raw_BCHW, batch.image_BCHW) if params.lpips else zero
                terms["lpips"] = (params.lpips, distance_B.float().mean())
        return terms if self.judge is None else {**terms, **self.judge(whole_BCHW, batch.image_BCHW)}

    def _learn_to_tell(self, whole_BCHW: Tensor, batch: Batch) -> Tensor:
        """One descent of the discriminator, truth and composites at once: one estimate of its norms a step."""
        if not self.params.adversarial:
            return whole_BCHW.new_zeros(())
        hole_B1HW = 1 - batch.known_B1HW
        with self.accelerator.autocast():
            logits = self.critic(torch.cat([batch.image_BCHW, whole_BCHW]), torch.cat([hole_B1HW, hole_B1HW]))
        real, fake = logits.chunk(2)
        loss = 2 * discriminator_loss("hinge", real, fake)  # eq. 9, which is not halved
        self.accelerator.minimize(loss, self.critic_optimizer)
        return loss.detach()

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """With the true structure: PSNR in the hole and of the composite in dB, LPIPS of the composite."""
        tally = Tally()
        raw_BCHW = self._made(batch)
        hole_B1HW = 1 - batch.known_B1HW
        whole_BCHW, some_B = composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW), hole_B1HW.amax((1, 2, 3))
        tally.mean("psnr_hole", psnr(raw_BCHW, batch.image_BCHW, hole_B1HW), some_B)
        tally.mean("psnr", psnr(whole_BCHW, batch.image_BCHW), some_B)
        if self.perceptual is not None:
            tally.mean("lpips", self.perceptual(whole_BCHW, batch.image_BCHW))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means over all images."""
        return tally.means()

    def _made(self, batch: Batch) -> Tensor:
        s_BDHW = self.teacher.vectors(self.teacher.exact_codes(batch.image_BCHW))
        return self.model(batch.image_BCHW, batch.known_B1HW, s_BDHW)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Masked images, their true structure D(s, 0), and their completions from it, raw and composited."""
        raw_BCHW = self._made(batch)
        return {
            "masked": blank(batch.image_BCHW, batch.known_B1HW),
            "structure": self.teacher.net.structure_alone(self.teacher.exact_codes(batch.image_BCHW)),
            "raw": raw_BCHW,
            "composite": composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW),
        }

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        critic: dict[str, Stateful] = {"critic": self.critic, "critic_optimizer": self.critic_optimizer}
        return {**own, **critic, "critic_schedule": self.critic_schedule}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> DecoderPart:
    """The part, ready to learn."""
    return DecoderPart(params, parents, spec, accelerator)
