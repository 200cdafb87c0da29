"""The decoder: whole pictures from a partial image and its completed tokens (paper 000, Sec. 3.3, eq. 7-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.images.pixels import blank, composite
from stages.losses.pixels import psnr
from stages.losses.tally import Tally
from stages.methods.latent_codes import vq
from stages.methods.latent_codes.blocks.adversary import BETAS, Adversary, AdversaryParams
from stages.methods.latent_codes.blocks.composer import Composer
from stages.methods.latent_codes.blocks.noise import swapped
from stages.methods.latent_codes.blocks.rate import Rate
from stages.methods.latent_codes.blocks.teacher import Teacher, prepared
from stages.methods.latent_codes.blocks.token_mask import Sizes, TokenMask, same_grid
from stages.training.schedules import Schedule

PARENTS: tuple[str, ...] = ("vq",)
SHARED: tuple[str, ...] = ("token_mask",)
CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "generator: vq goes on from the vq's generator, its weights and sizes (as released); own has the sizes of Sec. 6, "
    "which those weights do not fit, and begins untrained",
    "R1 is of the mean or of the sum of an image's patch logits (r1_logits); the paper has no patches",
    "code_noise and mask_input are the release's, averaged weights ours; the paper has none of them",
)


class Params(Rate, Sizes):
    """E_prt's and G's sizes, the losses of eq. 9 and what the released code does besides."""

    encoder: Literal["partial", "concat"] = "partial"  # Sec. 3.3; as released: ordinary, fed the mask
    generator: Literal["own", "vq"] = "own"  # Sec. 6's sizes; as released: the vq's generator, which goes on learning
    refinement: bool = False  # a second autoencoder on the composite, as released
    train_mask: Literal["restrictive", "nearest"] = "restrictive"  # M-hat of eq. 7-8 in training; nearest as released
    code_noise: float = Field(default=0.0, ge=0, le=1)  # share of codes made random in training; as released: 0.1
    l1: float = Field(default=0.0, ge=0)  # the paper has none; a small budget, or one without LPIPS, needs it
    lpips: float = Field(default=0.1, ge=0)  # eq. 9
    lpips_net: Literal["alex", "squeeze", "vgg"] = "vgg"  # eq. 13
    refinement_l1: float = Field(default=0.1, ge=0)  # as released
    adversary: AdversaryParams = AdversaryParams()
    token_mask: TokenMask = TokenMask()


def network(params: Params, parent: vq.Params, spec: Spec) -> Composer:
    """The untrained network over the codes of a vq."""
    same_grid("decoder", params.multipliers, parent.multipliers)
    shape = params.shape(spec, parent.stem)
    generated = parent.shape(spec, parent.stem) if params.generator == "vq" else shape
    return Composer(shape, generated, parent.channels, params.encoder, params.refinement)


def restore(trained: Trained, parent: Trained) -> Composer:
    """The released decoder over the codes of the vq `parent`, frozen, on the CPU."""
    model = network(Params.model_validate(trained.params), vq.Params.model_validate(parent.params), trained.spec)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class DecoderPart:
    """Learns to recover whole images from their visible part and their true tokens."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator, self.teacher = params, accelerator, Teacher(parents, accelerator)
        model = network(params, self.teacher.params, spec)
        if params.generator == "vq":
            model.from_code.load_state_dict(self.teacher.net.from_code.state_dict())
            model.generator.load_state_dict(self.teacher.net.generator.state_dict())
        self.model = prepared(model, accelerator)
        self.optimizer = Adam(self.model.parameters(), lr=params.lr, betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)
        self.adversary = Adversary(params.adversary, params, accelerator)
        self.refiner = Adversary(params.adversary, params, accelerator) if params.refinement else None
        self.perceptual = accelerator.perceptual(params.lpips_net)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        z_BDHW, cells_B1HW = self._codes(batch), self._cells(batch.known_B1HW)
        with self.accelerator.autocast():
            raw_BCHW, refined_BCHW = self.model(batch.image_BCHW, batch.known_B1HW, z_BDHW, cells_B1HW)
        step, last = self.schedule.steps, self.model.generator.head.weight
        loss, scalars = self._loss(raw_BCHW, batch, self.params.l1, self.adversary, last)
        if self.refiner is not None and self.model.refiner is not None:
            last = self.model.refiner.generator.head.weight
            more, refined = self._loss(refined_BCHW, batch, self.params.refinement_l1, self.refiner, last)
            loss = loss + more
            scalars |= {f"refined_{name}": value for name, value in refined.items()}
        self.accelerator.minimize(loss, self.optimizer)
        scalars |= self.adversary.learn(batch.image_BCHW, raw_BCHW, batch.known_B1HW, step)
        if self.refiner is not None:
            learned = self.refiner.learn(batch.image_BCHW, refined_BCHW, batch.known_B1HW, step)
            scalars |= {f"refined_{name}": value for name, value in learned.items()}
        return scalars

    def _loss(
        self, raw_BCHW: Tensor, batch: Batch, weight: float, adversary: Adversary, last: Tensor
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Equation 9 but for the discriminator's own terms, and its terms by name."""
        l1 = F.l1_loss(raw_BCHW.float(), batch.image_BCHW)
        loss, scalars = weight * l1, {"l1": l1.detach()}
        if self.perceptual is not None:
            with self.accelerator.autocast():
                lpips = self.perceptual(raw_BCHW, batch.image_BCHW).float().mean()
            loss, scalars = loss + self.params.lpips * lpips, {**scalars, "lpips": lpips.detach()}
        push, adversarial = adversary.judge(raw_BCHW, batch.known_B1HW, loss, last, self.schedule.steps)
        return loss + push, {**scalars, "adversarial": adversarial}

    def _codes(self, batch: Batch) -> Tensor:
        codes_BHW = self.teacher.codes(batch.image_BCHW)
        if self.params.code_noise:
            codes_BHW = swapped(codes_BHW, batch.seeds_B, self.params.code_noise, self.teacher.params.codes)
        return self.teacher.vectors(codes_BHW)

    def _cells(self, known_B1HW: Tensor) -> Tensor:
        if self.params.train_mask == "nearest":
            return F.interpolate(known_B1HW, size=self._token_mask(known_B1HW).shape[2:])
        return self._token_mask(known_B1HW)

    def _token_mask(self, known_B1HW: Tensor) -> Tensor:
        return self.params.token_mask.cells(known_B1HW, self.teacher.params.stem, len(self.params.multipliers))

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """With true tokens: PSNR in the hole and of the composite in dB, LPIPS of the composite; `vq_`: codes alone."""
        tally = Tally()
        raw_BCHW, codes_only_BCHW = self._complete(batch)
        hole_B1HW = 1 - batch.known_B1HW
        some_B = hole_B1HW.amax((1, 2, 3))
        for name, picture_BCHW in (("", raw_BCHW), ("vq_", codes_only_BCHW)):
            whole_BCHW = composite(picture_BCHW, batch.image_BCHW, batch.known_B1HW)
            tally.mean(f"{name}psnr_hole", psnr(picture_BCHW, batch.image_BCHW, hole_B1HW), some_B)
            tally.mean(f"{name}psnr", psnr(whole_BCHW, batch.image_BCHW), some_B)
            if self.perceptual is not None:
                tally.mean(f"{name}lpips", self.perceptual(whole_BCHW, batch.image_BCHW))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means over all images."""
        return tally.means()

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Masked images; their completions with true tokens, raw and composited; codes decoded alone, composited."""
        raw_BCHW, codes_only_BCHW = self._complete(batch)
        return {
            "masked": blank(batch.image_BCHW, batch.known_B1HW),
            "raw": raw_BCHW,
            "composite": composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW),
            "codes_alone": composite(codes_only_BCHW, batch.image_BCHW, batch.known_B1HW),
        }

    def _complete(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(the decoder's picture, the vq's of the codes alone), both with true tokens, in [-1, 1]."""
        codes_BHW = self.teacher.exact_codes(batch.image_BCHW)
        cells_B1HW, z_BDHW = self._token_mask(batch.known_B1HW), self.teacher.vectors(codes_BHW)
        raw_BCHW = self.model(batch.image_BCHW, batch.known_B1HW, z_BDHW, cells_B1HW)[1]
        return raw_BCHW.clamp(-1, 1), self.teacher.picture(codes_BHW)

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        more = self.refiner.state("refined_discriminator") if self.refiner is not None else {}
        return {**own, **self.adversary.state("discriminator"), **more}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> DecoderPart:
    """The part, ready to learn."""
    return DecoderPart(params, parents, spec, accelerator)
