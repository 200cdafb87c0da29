"""The structural prior: a conditional flow of small images, learnt by likelihood (paper 003, Sec. 3.1-3.2, eq. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.images.pixels import LEVELS, shrink_masked
from stages.losses.tally import Tally
from stages.methods.flow_fill.blocks.depth import dequantised
from stages.methods.flow_fill.blocks.noise import normal
from stages.methods.flow_fill.blocks.structure import Sizes, Structure, exact, zeroed
from stages.nets.seeded import generators
from stages.training.schedules import Halved, Schedule

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "bit depth and uniform dequantisation as in Glow",
    "log scales clamped softly (eq. 5-6 have a bare exp)",
    "a linear path beside the injector's network",
    "a split's log deviation clamped like the scales",
    "E_theta has no contextual attention and no instance norm, pads by zeros, and grows its maps by nearest neighbours",
    "widths of E_theta, the maps taken of it, its inputs given to every level besides, and a 1x1 convolution a level "
    "that makes ft of them",
    "a draft that learns by an L1, and a W that begins with Haar bands, each where params say so",
    "pictures shrink by their areas' means, and a small pixel is known only where its whole area is",
)

BETAS = (0.9, 0.999)  # paper Sec. 4.1
BUCKETS = ((0, 20), (20, 40), (40, 60), (60, 80), (80, 100))  # hole ratios in %; the paper's and their neighbours


class Params(Halved, Sizes):
    """The flow and its training; the paper's setup by default. Choices that the paper leaves open say "ours"."""

    lr: float = Field(default=5e-4, gt=0)  # paper Sec. 4.1
    halve_at: tuple[int, ...] = (150_000, 225_000, 270_000, 285_000)  # paper: 50, 75, 90, 95 % of 300k


def restore(trained: Trained) -> Structure:
    """The released prior, frozen, on the CPU."""
    model = Structure(Params.model_validate(trained.params), trained.spec)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class PriorPart:
    """Learns flow and feature extractor together, by the negative log-likelihood; its draft, too, where asked for."""

    def __init__(self, params: Params, spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator = params, accelerator
        self.model = cast(Structure, accelerator.prepare(Structure(params, spec)))
        self.optimizer = Adam(self.model.parameters(), betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        self.model.train()
        x_Bchw = self._truth(batch)
        with self.accelerator.autocast():  # networks alone: the flow's own arithmetic stays in float32
            bits_B, draft_B = self.model(x_Bchw, batch.image_BCHW, batch.known_B1HW)
        terms = {"bits_per_dim": bits_B.mean(), **({"draft_l1": draft_B.mean()} if self.params.draft else {})}
        loss = terms["bits_per_dim"] + self.params.draft * terms.get("draft_l1", 0.0)
        self.accelerator.minimize(loss, self.optimizer)
        return {name: term.detach() for name, term in terms.items()}

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """Bits per dimension of all values given the masked image, also by hole ratio.

        `bits_per_dim_features_zeroed` are those where ft is set to 0, `bits_per_dim_all_missing` where all of the image
        is missing: the flow never learnt under either, so that neither is what an unconditional flow would need.
        `drift` is how far a sample's known pixels are from the given ones, `spread` two samples' distance in the hole
        (mean absolute, in grey levels of 255, as the draft's from the truth there, `draft`, where it learns);
        `inverse_error` the largest |f^-1(f(x)) - x|.
        """
        self.model.eval()
        tally = Tally()
        self._add_bits(tally, batch)
        self._add_samples(tally, batch)
        tally.largest("inverse_error", self._inverse_error(batch))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means and the largest error over all images; the flow's shape."""
        shape = {"side": float(self.model.side), "levels": float(len(self.model.latents))}
        return {**tally.means(), **tally.maxima, **shape}

    def _add_bits(self, tally: Tally, batch: Batch) -> None:
        x_Bchw, conditions = self._truth(batch), self.model.conditions(batch.image_BCHW, batch.known_B1HW)
        hole_B = 100 * (1 - batch.known_B1HW.mean((1, 2, 3)))
        for name, told in (("bits_per_dim", conditions), ("bits_per_dim_features_zeroed", zeroed(conditions))):
            bits_B = self.model.bits_per_dim(self.model.nats(x_Bchw, told))
            tally.mean(name, bits_B)
            for low, high in BUCKETS:
                chosen_B = (hole_B > low) & (hole_B <= high)
                if bool(chosen_B.any()):
                    tally.mean(f"{name}_hole_{low}_{high}", bits_B, chosen_B)
        nothing_B1HW = torch.zeros_like(batch.known_B1HW)
        tally.mean("bits_per_dim_all_missing", self.model(x_Bchw, batch.image_BCHW, nothing_B1HW)[0])

    def _add_samples(self, tally: Tally, batch: Batch) -> None:
        first_Bchw, second_Bchw = self._samples(batch)
        small_Bchw, known_B1hw = shrink_masked(batch.image_BCHW, batch.known_B1HW, self.model.side)
        known_Bchw = known_B1hw.expand_as(small_Bchw)
        tally.mean("drift", LEVELS * (first_Bchw - small_Bchw).abs(), known_Bchw)
        tally.mean("spread", LEVELS * (first_Bchw - second_Bchw).abs(), 1 - known_Bchw)
        if self.params.draft:
            draft_Bchw = self.model.draft(batch.image_BCHW, batch.known_B1HW)
            tally.mean("draft", LEVELS * (draft_Bchw - self.model.shrunk(batch.image_BCHW)).abs(), 1 - known_Bchw)

    def _inverse_error(self, batch: Batch) -> float:
        x_Bchw, conditions = self._truth(batch), self.model.conditions(batch.image_BCHW, batch.known_B1HW)
        with exact():
            again_Bchw = self.model.flow.inverse(self.model.encode(x_Bchw, conditions)[0], conditions)
        return float((again_Bchw - x_Bchw).abs().max())

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Small images: the true one, what is known of it, and two samples."""
        self.model.eval()
        first_Bchw, second_Bchw = self._samples(batch)
        small_Bchw, _ = shrink_masked(batch.image_BCHW, batch.known_B1HW, self.model.side)
        shown = {"truth": self.model.shrunk(batch.image_BCHW), "known": small_Bchw}
        if self.params.draft:
            shown["draft"] = self.model.draft(batch.image_BCHW, batch.known_B1HW)
        return {**shown, "sample_0": first_Bchw, "sample_1": second_Bchw}

    def state(self) -> dict[str, Stateful]:
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}

    def _truth(self, batch: Batch) -> Tensor:
        return dequantised(self.model.shrunk(batch.image_BCHW), self.params.bits, generators(batch.seeds_B))

    def _samples(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Two samples an image at temperature 1, in [-1, 1]."""
        conditions = self.model.conditions(batch.image_BCHW, batch.known_B1HW)
        latents = normal(generators(torch.stack([batch.seeds_B, batch.seeds_B + 1], 1)), self.model.latents)
        small_Rchw = self.model.decode([z_RCHW.to(batch.image_BCHW) for z_RCHW in latents], conditions)
        return small_Rchw[0::2], small_Rchw[1::2]


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> PriorPart:
    """The part, ready to learn."""
    return PriorPart(params, spec, accelerator)
