"""The VQGAN whose codes are the method's tokens: learnt on full images (paper 000, Sec. 3.1).

Axes: D a code's channels, K codes; H W are pixels of images and cells of features and codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.losses.adversarial import Adversarial
from stages.losses.codes import perplexity
from stages.losses.pixels import psnr
from stages.losses.tally import Tally
from stages.methods.latent_codes.blocks.adversary import BETAS, Adversary, AdversaryParams
from stages.methods.latent_codes.blocks.rate import Rate
from stages.methods.latent_codes.blocks.token_mask import Sizes
from stages.nets.masked_norm import Kind
from stages.nets.partial_conv import PlainConv2d
from stages.nets.pyramid import Encoder, Generator
from stages.nets.quantizer import Quantizer
from stages.nets.seeded import generators
from stages.training.schedules import Schedule

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class VqganAdversary(AdversaryParams):
    """VQGAN's setup as released, where the decoder's has the paper's."""

    loss: Adversarial = "hinge"
    weight: float = Field(default=0.8, ge=0)
    adaptive: bool = True
    start: int = Field(default=50_000, ge=0)
    r1: float = Field(default=0.0, ge=0)


class Params(Rate, Sizes):
    """The autoencoder, its codebook and its losses; VQGAN's setup at f = 16 by default."""

    attention: tuple[int, ...] = (16,)
    normalisation: Kind = "group"
    stem: int = Field(default=1, ge=1)  # pixels along a side folded into channels; 1: none, as in VQGAN
    codes: int = Field(default=1024, ge=2)  # paper Sec. 6
    channels: int = Field(default=256, ge=1)  # of a code; paper Sec. 6
    normalised_codes: bool = False  # codes on the unit sphere: what a small budget needs to use them all
    restart_after: int = Field(default=0, ge=0)  # steps until an unused code moves onto a feature; 0: never, as VQGAN
    beta: float = Field(default=0.25, ge=0)
    beta_on: Literal["codebook", "commitment"] = "codebook"  # as VQGAN was released; its equation: the commitment
    l1: float = Field(default=1.0, ge=0)
    lpips: float = Field(default=1.0, ge=0)
    lpips_net: Literal["alex", "squeeze", "vgg"] = "vgg"
    adversary: VqganAdversary = VqganAdversary()


class Autoencoder(nn.Module):
    """Image -> features -> the nearest codes -> image."""

    def __init__(self, params: Params, spec: Spec) -> None:
        super().__init__()
        shape = params.shape(spec, params.stem)
        self.encoder = Encoder(shape, 3, params.channels, PlainConv2d)
        self.to_code = nn.Conv2d(params.channels, params.channels, 1)
        self.quantizer = Quantizer(params.codes, params.channels, params.normalised_codes)
        self.from_code = nn.Conv2d(params.channels, params.channels, 1)
        self.generator = Generator(shape, params.channels)

    def features(self, image_BCHW: Tensor) -> Tensor:
        """What is quantised, (B, D, H, W)."""
        return self.to_code(self.encoder(image_BCHW, None)[0])

    def codes(self, image_BCHW: Tensor) -> Tensor:
        """The image's tokens, (B, H, W)."""
        return self.quantizer.nearest(self.features(image_BCHW))

    def decode(self, z_BDHW: Tensor) -> Tensor:
        """Code vectors as an image."""
        return self.generator(self.from_code(z_BDHW))

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.decode(self.quantizer(self.features(image_BCHW)).z_BDHW)


def restore(trained: Trained) -> Autoencoder:
    """The released autoencoder, frozen, on the CPU."""
    model = Autoencoder(Params.model_validate(trained.params), trained.spec)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class VqPart:
    """Learns the autoencoder with L1, LPIPS and a patch discriminator that begins late."""

    def __init__(self, params: Params, spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator = params, accelerator
        self.model = cast(Autoencoder, accelerator.prepare(Autoencoder(params, spec)))
        self.optimizer = Adam(self.model.parameters(), betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)
        self.adversary = Adversary(params.adversary, params, accelerator)
        self.perceptual = accelerator.perceptual(params.lpips_net)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        step = self.schedule.steps
        with self.accelerator.autocast():
            z_BDHW = self.model.features(batch.image_BCHW)
        quantized = self.model.quantizer(z_BDHW)
        with self.accelerator.autocast():
            raw_BCHW = self.model.decode(quantized.z_BDHW)
        quantisation = self._weigh(quantized.commitment, quantized.codebook)
        reconstruction, scalars = self._reconstruction(raw_BCHW, batch.image_BCHW)
        last = self.model.generator.head.weight
        push, adversarial = self.adversary.judge(raw_BCHW, batch.known_B1HW, reconstruction, last, step)
        self.accelerator.minimize(reconstruction + quantisation + push, self.optimizer)
        learned = self.adversary.learn(batch.image_BCHW, raw_BCHW, batch.known_B1HW, step)
        if self.params.restart_after:
            owner = generators(batch.seeds_B[:1])[0]
            self.model.quantizer.restart(z_BDHW, quantized.codes_BHW, self.params.restart_after, owner)
        return {**scalars, "quantisation": quantisation.detach(), "adversarial": adversarial, **learned}

    def _weigh(self, commitment: Tensor, codebook: Tensor) -> Tensor:
        if self.params.beta_on == "codebook":
            return commitment + self.params.beta * codebook
        return codebook + self.params.beta * commitment

    def _reconstruction(self, raw_BCHW: Tensor, image_BCHW: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        l1 = F.l1_loss(raw_BCHW.float(), image_BCHW)
        if self.perceptual is None:
            return self.params.l1 * l1, {"l1": l1.detach()}
        with self.accelerator.autocast():
            lpips = self.perceptual(raw_BCHW, image_BCHW).float().mean()
        total = self.params.l1 * l1 + self.params.lpips * lpips
        return total, {"l1": l1.detach(), "lpips": lpips.detach()}

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """Reconstruction (PSNR in dB, LPIPS), and how often each code is used."""
        tally = Tally()
        codes_BHW = self.model.codes(batch.image_BCHW)
        raw_BCHW = self.model.decode(self.model.quantizer.look_up(codes_BHW)).clamp(-1, 1)
        tally.count("codes", torch.bincount(codes_BHW.flatten().cpu(), minlength=self.params.codes))
        tally.mean("psnr", psnr(raw_BCHW, batch.image_BCHW))
        if self.perceptual is not None:
            tally.mean("lpips", self.perceptual(raw_BCHW, batch.image_BCHW))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means; codes in use over all images, and their perplexity."""
        counts_K = tally.counts["codes"]
        return {**tally.means(), "used_codes": float((counts_K > 0).sum()), "perplexity": perplexity(counts_K)}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Images and their reconstructions."""
        return {"image": batch.image_BCHW, "reconstruction": self.model(batch.image_BCHW).clamp(-1, 1)}

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        return {**own, **self.adversary.state("discriminator")}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> VqPart:
    """The part, ready to learn."""
    return VqPart(params, spec, accelerator)
