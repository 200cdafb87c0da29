"""The multimodal guided encoder's training: masked images inverted into a frozen generator (paper 002, eq. 7-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.images.pixels import blank
from stages.losses.adversarial import discriminator_loss, generator_loss
from stages.losses.tally import Tally
from stages.methods.mm_invertfill import prior
from stages.methods.mm_invertfill.blocks import figures
from stages.methods.mm_invertfill.blocks.drawings import drawings
from stages.methods.mm_invertfill.blocks.figures import completed
from stages.methods.mm_invertfill.blocks.fitting import begun, fitted
from stages.methods.mm_invertfill.blocks.generator import Generator
from stages.methods.mm_invertfill.blocks.guiding import Learnt, Truth
from stages.methods.mm_invertfill.blocks.inversion import Inverter, with_edges
from stages.methods.mm_invertfill.blocks.mean_latent import MeanLatent, MeanParams
from stages.methods.mm_invertfill.blocks.network import GuidedEncoder, Seen
from stages.methods.mm_invertfill.blocks.perception import Kind, perception
from stages.methods.mm_invertfill.blocks.scale_losses import enlarged, scale_losses
from stages.methods.mm_invertfill.blocks.sizes import Sizes
from stages.nets.spectral_discriminator import SpectralDiscriminator
from stages.training.schedules import Cosine, Schedule

PARENTS: tuple[str, ...] = ("prior",)
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open, or what is lost from its text
    "tau, the samples and the turns of the mean latent, lambda_m and lambda_f, rates, Adam's betas: anchors of ours",
    "dilations, patches, widths, the discriminator's rate and Canny's sigma: as MMT's, its authors' earlier method",
    "the high-receptive-field distance by a dilated ResNet-50 of COCO (the paper's: of ADE20K, without a digest)",
    "in training edges and labels are each given of what is known, of all, or not at all, by turns",
    "styles begin about the generator's mean style; the maps that F&W+ adds begin at 0",
    "at a scale an edge cell is one with an edge pixel; L1 is of small pictures, the perceptual term of enlarged ones",
    "an L1 term on the output, and a discriminator of pictures alone, where params say so",
)

BETAS = (0.9, 0.999)  # Adam's own; the paper names none


class Params(Cosine, Sizes):
    """The encoder, its losses and its training; the paper's by default. What is lost from its text says "ours"."""

    lr: float = Field(default=1e-4, gt=0)  # ours: lost; pSp's
    perceptual: Kind = "hrf"  # eq. 7; lpips: ours, for small budgets
    lpips_net: Literal["alex", "squeeze", "vgg"] = "alex"  # of LPIPS, where it is in the loss, and of the figures
    perceptual_weight: float = Field(default=1.0, ge=0)  # eq. 7 weighs nothing; LaMa: 30
    adversarial: float = Field(default=1.0, ge=0)  # eq. 7 weighs nothing; LaMa: 10
    judges_edges: bool = True  # eq. 7: pictures with the predicted edges beside them; false, pictures alone: ours
    l1: float = Field(default=0.0, ge=0)  # paper: none; ours, for small budgets
    multi_scale: float = Field(default=1.0, ge=0)  # lambda_m; ours: lost
    scale_perceptual: float = Field(default=1.0, ge=0)  # of the perceptual term in it; eq. 8
    fidelity: float = Field(default=0.005, ge=0)  # lambda_f; ours: lost; pSp's weight of styles
    mean: MeanParams = MeanParams()
    edges_given: Learnt = "mixed"  # in training; ours. gt: Table 6's last row
    labels_given: Learnt = "mixed"
    sigma: float = Field(default=1.0, gt=0)  # Canny's, in pixels; MMT's for faces and streets (outdoor scenes: 3)
    discriminator_width: int = Field(default=64, ge=1)  # MMT's
    discriminator_share: float = Field(default=0.05, gt=0)  # its rate over the encoder's; MMT's


def restore(trained: Trained, parent: Trained) -> GuidedEncoder:
    """The released encoder of the generator `parent`, frozen, on the CPU."""
    model = fitted(Params.model_validate(trained.params), trained.spec, prior.restore(parent))
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class EncoderPart:
    """Learns to find the styles and maps from which the frozen generator paints the whole image."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator = params, accelerator
        generator = cast(Generator, accelerator.prepare(prior.restore(parents["prior"])))
        self.mean = MeanLatent(generator, params.mean)
        self.model = cast(GuidedEncoder, accelerator.prepare(begun(params, spec, generator)))
        self.inverter = Inverter(self.model, generator, spec.classes)
        self.optimizer = Adam(self.model.parameters(), betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)
        judged = 4 if self.model.edges and params.judges_edges else 3
        self.critic = accelerator.prepare(SpectralDiscriminator(judged, params.discriminator_width))
        self.critic_optimizer = Adam(self.critic.parameters(), betas=BETAS)
        self.critic_schedule = Schedule(self.critic_optimizer, params, params.discriminator_share)
        compares = params.perceptual_weight or params.scale_perceptual
        self.distance = perception(params.perceptual, params.lpips_net, accelerator) if compares else None
        self.perceptual = accelerator.perceptual(params.lpips_net)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        self.mean.follow(self.schedule.steps)
        params, truth = self.params, Truth.of(batch, self.params.sigma)
        guidance = truth.guidance(batch.known_B1HW, params.edges_given, params.labels_given)
        with self.accelerator.autocast():
            seen = self.inverter.see(batch.image_BCHW, batch.known_B1HW, guidance)
            raw_BCHW = self.inverter.paint(seen, self.inverter.noise(len(batch.keys)))
            terms = self._inpainting(seen, raw_BCHW, batch.image_BCHW) | self._scales(seen, batch, truth)
        terms["fidelity"] = (params.fidelity, self._fidelity(seen, raw_BCHW))
        self.accelerator.minimize(torch.stack([weight * term for weight, term in terms.values()]).sum(), self.optimizer)
        learned = self._learn_to_tell(self._judged(raw_BCHW, seen).detach(), batch, truth)
        return {**{name: term.detach() for name, (_, term) in terms.items()}, "discriminator": learned}

    def _inpainting(self, seen: Seen, raw_BCHW: Tensor, image_BCHW: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Equation 7 with its weights, by name, and L1; what weighs nothing is 0 and costs nothing."""
        params, zero = self.params, raw_BCHW.new_zeros(())
        adversarial, perceptual = zero, zero
        if params.adversarial:
            adversarial = generator_loss("nonsaturating", self.critic(self._judged(raw_BCHW, seen)))
        if params.perceptual_weight and self.distance is not None:
            perceptual = self.distance(raw_BCHW, image_BCHW)
        l1 = F.l1_loss(raw_BCHW, image_BCHW) if params.l1 else zero
        return {
            "adversarial": (params.adversarial, adversarial),
            "perceptual": (params.perceptual_weight, perceptual),
            "l1": (params.l1, l1),
        }

    def _scales(self, seen: Seen, batch: Batch, truth: Truth) -> dict[str, tuple[float, Tensor]]:
        """Equation 8 with its weights, by name."""
        params = self.params
        distance = enlarged(self.distance) if self.distance is not None and params.scale_perceptual else None
        found = scale_losses(seen.restored, batch.image_BCHW, truth.edges_B1HW, batch.labels_BHW, distance)
        own = {"scale_perceptual": params.scale_perceptual}
        return {name: (params.multi_scale * own.get(name, 1.0), term) for name, term in found.items()}

    def _fidelity(self, seen: Seen, raw_BCHW: Tensor) -> Tensor:
        """Equation 9; 0 without inversion."""
        return raw_BCHW.new_zeros(()) if seen.w_BLD is None else (seen.w_BLD - self.mean.target_D).square().mean()

    def _judged(self, raw_BCHW: Tensor, seen: Seen) -> Tensor:
        """What the discriminator is shown of completions."""
        return with_edges(raw_BCHW, seen) if self.params.judges_edges else raw_BCHW

    def _learn_to_tell(self, fake_BCHW: Tensor, batch: Batch, truth: Truth) -> Tensor:
        """One descent of the discriminator, truth and completions at once: one estimate of its norms a step."""
        if not self.params.adversarial:
            return fake_BCHW.new_zeros(())
        real_BCHW = torch.cat([batch.image_BCHW, truth.edges_B1HW], 1)[:, : fake_BCHW.shape[1]]
        with self.accelerator.autocast():
            real, fake = self.critic(torch.cat([real_BCHW, fake_BCHW])).chunk(2)
        loss = discriminator_loss("nonsaturating", real, fake)
        self.accelerator.minimize(loss, self.critic_optimizer)
        return loss.detach()

    def measure(self, batch: Batch) -> Tally:
        """See `blocks/figures.py`."""
        return figures.measure(self.inverter, batch, self.params.sigma, self.perceptual)

    def figures(self, tally: Tally) -> dict[str, float]:
        """See `blocks/figures.py`."""
        return figures.of(tally)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Masked images; raw completions, plain and with the truth's edges and labels; what the finest scale holds."""
        truth = Truth.of(batch, self.params.sigma)
        seen, raw_BCHW = completed(self.inverter, batch, truth.guidance(batch.known_B1HW, "visible", "none"))
        _, guided_BCHW = completed(self.inverter, batch, truth.guidance(batch.known_B1HW, "gt", "gt"))
        shown = {"masked": blank(batch.image_BCHW, batch.known_B1HW), "raw": raw_BCHW, "guided": guided_BCHW}
        return {**shown, **drawings(seen.restored[-1], batch.image_BCHW.shape[-1])}

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        critic: dict[str, Stateful] = {"critic": self.critic, "critic_optimizer": self.critic_optimizer}
        return {**own, **critic, "critic_schedule": self.critic_schedule, "mean": self.mean}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> EncoderPart:
    """The part, ready to learn."""
    return EncoderPart(params, parents, spec, accelerator)
