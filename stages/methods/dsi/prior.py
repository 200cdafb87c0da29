"""The structure generator's training: likelihood of the true structure (paper 001, Sec. 3.2, eq. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import cast

import torch
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.images.pixels import blank
from stages.losses.codes import cross_entropy
from stages.losses.marginals import Marginals
from stages.losses.tally import Tally
from stages.methods.dsi import vq
from stages.methods.dsi.blocks.autoencoder import grid
from stages.methods.dsi.blocks.structure import Sizes, StructureNet
from stages.methods.dsi.blocks.teacher import Teacher
from stages.nets.seeded import exponential, generators
from stages.training.schedules import InversePower, Schedule

PARENTS: tuple[str, ...] = ("vq",)
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "warm-up and scale of the rate as released; its decay is the paper's square root (released: a power of 0.35)",
    "streams, attentions, condition network, output layers and dropout as released",
    "every convolution is weight-normalised; layers begin near the identity, as PixelCNN++'s",
    "the loss is a mean over positions",
    "a stem of the condition network, where params say so",
)


class Params(InversePower, Sizes):
    """The generator and its training; the paper's by default (Sec. 3.2, 4.1)."""

    lr: float = Field(default=1.258e-4, gt=0)  # at its highest: 0.18 (128 * 16,000)^-1/2
    warmup_steps: int = Field(default=15_999, ge=0)  # as released: the highest rate is step 16,000's


def restore(trained: Trained, parent: Trained) -> StructureNet:
    """The released generator over the codes of the vq `parent`, frozen, on the CPU."""
    model = StructureNet(Params.model_validate(trained.params), vq.Params.model_validate(parent.params))
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class PriorPart:
    """Learns the conditional distribution of structure codes of whole images, given their masked part."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator, self.teacher = params, accelerator, Teacher(parents, accelerator)
        model = StructureNet(params, self.teacher.params)
        model.codebook_KD.copy_(self.teacher.net.structure_codebook.codebook_KD)
        self.model = cast(StructureNet, accelerator.prepare(model))
        self.optimizer = Adam(self.model.parameters())
        self.schedule = Schedule(self.optimizer, params)
        self.marginals = cast(Marginals, accelerator.prepare(Marginals(grid(spec) ** 2, self.teacher.params.codes)))

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        self.model.train()
        codes_BHW = self.teacher.codes(batch.image_BCHW)
        self.marginals.count(codes_BHW.flatten(1))
        with self.accelerator.autocast():
            logits_BKHW = self.model(codes_BHW, batch.image_BCHW, batch.known_B1HW)
        loss = cross_entropy(logits_BKHW, codes_BHW).mean()
        self.accelerator.minimize(loss, self.optimizer)
        return {"bits_per_dim": loss.detach() / log(2)}

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """Bits a code, and the same of the codes' marginals, overall and a position; the likeliest code's accuracy."""
        self.model.eval()
        tally = Tally()
        codes_BHW = self.teacher.exact_codes(batch.image_BCHW)
        logits_BKHW = self.model(codes_BHW, batch.image_BCHW, batch.known_B1HW)
        tally.mean("bits_per_dim", cross_entropy(logits_BKHW, codes_BHW) / log(2))
        tally.mean("accuracy", logits_BKHW.argmax(1) == codes_BHW)
        overall_BN, placed_BN = self.marginals.cross_entropy(codes_BHW.flatten(1))
        tally.mean("marginal_bits_per_dim", overall_BN / log(2))
        tally.mean("positional_bits_per_dim", placed_BN / log(2))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means over all images."""
        return tally.means()

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Masked images; D(s, 0) of the true structure, of each position's likeliest code and of one drawn at each.

        The last two are told the true codes before a position: what one pass believes, and no completion, which
        `inpaint` draws code by code.
        """
        self.model.eval()
        codes_BHW = self.teacher.exact_codes(batch.image_BCHW)
        logits_BHWK = self.model(codes_BHW, batch.image_BCHW, batch.known_B1HW).permute(0, 2, 3, 1)
        noise_XK = exponential(generators(batch.seeds_B), [codes_BHW[0].numel()] * len(codes_BHW), logits_BHWK.shape[3])
        drawn_BHWK = logits_BHWK - noise_XK.view_as(logits_BHWK).to(logits_BHWK.device).log()
        guesses = {"structure": codes_BHW, "likeliest": logits_BHWK.argmax(3), "drawn": drawn_BHWK.argmax(3)}
        alone = {name: self.teacher.net.structure_alone(guess_BHW) for name, guess_BHW in guesses.items()}
        return {"masked": blank(batch.image_BCHW, batch.known_B1HW), **alone}

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        return {**own, "marginals": self.marginals}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> PriorPart:
    """The part, ready to learn."""
    return PriorPart(params, parents, spec, accelerator)
