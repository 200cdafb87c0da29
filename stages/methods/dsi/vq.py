"""The hierarchical VQ-VAE whose codes are structure and texture (paper 001, Sec. 3.1, eq. 1-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.losses.codes import perplexity
from stages.losses.pixels import psnr
from stages.losses.tally import Tally
from stages.methods.dsi.blocks.autoencoder import Autoencoder, Encoded, Sizes, grid
from stages.nets.seeded import generators
from stages.training.schedules import Cosine, Schedule

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "networks, codebook decay, Laplace smoothing and the codebooks' normal start as released",
    "the codebooks' averages begin as one member a code: an unused code stays where it is",
    "losses are means over pixels and channels, as released",
    "a restart of unused codes, and a loss of D(s, 0), where params say so: a short training leaves all to texture",
)


class Params(Cosine, Sizes):
    """The autoencoder and its training; the paper's by default (Sec. 4.1)."""

    lr: float = Field(default=1e-4, gt=0)  # paper Sec. 4.1, constant
    reconstruction: float = Field(default=1.0, gt=0)  # alpha_l2; paper Sec. 4.1
    commitment: float = Field(default=0.25, ge=0)  # alpha_c; paper Sec. 4.1
    structure_alone: float = Field(default=0.0, ge=0)  # of |D(s, 0) - I|^2; paper: none; ours, for small budgets
    restart_after: int = Field(default=0, ge=0)  # steps until an unused code moves onto a feature; 0: never (released)


def restore(trained: Trained) -> Autoencoder:
    """The released autoencoder, frozen, on the CPU."""
    model = Autoencoder(Params.model_validate(trained.params))
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class VqPart:
    """Learns the autoencoder by its reconstruction; the codebooks follow the encoder's features."""

    def __init__(self, params: Params, spec: Spec, accelerator: Accelerator) -> None:
        grid(spec)
        self.params, self.accelerator = params, accelerator
        self.model = cast(Autoencoder, accelerator.prepare(Autoencoder(params)))
        self.optimizer = Adam(self.model.parameters())
        self.schedule = Schedule(self.optimizer, params)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        with self.accelerator.autocast():
            raw_BCHW, encoded = self.model(batch.image_BCHW)
        terms = {
            "l2": (self.params.reconstruction, F.mse_loss(raw_BCHW, batch.image_BCHW)),  # eq. 1
            "commitment_structure": (self.params.commitment, encoded.structure.commitment),  # eq. 2
            "commitment_texture": (self.params.commitment, encoded.texture.commitment),
            "structure_alone": (self.params.structure_alone, self._structure_alone(encoded, batch)),
        }
        loss = torch.stack([weight * term for weight, term in terms.values()]).sum()  # eq. 3
        self.accelerator.minimize(loss, self.optimizer)
        self._follow(encoded, batch)
        return {name: term.detach() for name, (_, term) in terms.items()}

    def _structure_alone(self, encoded: Encoded, batch: Batch) -> Tensor:
        """How far D(s, 0) is from the image; 0 where it weighs nothing."""
        if not self.params.structure_alone:
            return batch.image_BCHW.new_zeros(())
        with self.accelerator.autocast():
            alone_BCHW = self.model.decode(encoded.structure.z_BDHW, None)
        return F.mse_loss(alone_BCHW, batch.image_BCHW)

    def _follow(self, encoded: Encoded, batch: Batch) -> None:
        """The codebooks' own step."""
        owner = generators(batch.seeds_B[:1])[0]
        for codebook, z_BDHW, quantized in (
            (self.model.structure_codebook, encoded.s_BDHW, encoded.structure),
            (self.model.texture_codebook, encoded.t_BDHW, encoded.texture),
        ):
            codebook.follow(z_BDHW, quantized.codes_BHW)
            if self.params.restart_after:
                codebook.restart(z_BDHW, quantized.codes_BHW, self.params.restart_after, owner)

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """PSNR in dB of the reconstruction and of D(s, 0); for each level, how often each code is used."""
        tally = Tally()
        raw_BCHW, encoded = self.model(batch.image_BCHW)
        tally.mean("psnr", psnr(raw_BCHW, batch.image_BCHW))
        alone_BCHW = self.model.structure_alone(encoded.structure.codes_BHW)
        tally.mean("psnr_structure", psnr(alone_BCHW, batch.image_BCHW))
        for name, quantized in (("structure", encoded.structure), ("texture", encoded.texture)):
            tally.count(name, torch.bincount(quantized.codes_BHW.flatten().cpu(), minlength=self.params.codes))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means; for each level, codes in use over all images, and their perplexity."""
        used = {f"{name}_used_codes": float((counts_K > 0).sum()) for name, counts_K in tally.counts.items()}
        evenly = {f"{name}_perplexity": perplexity(counts_K) for name, counts_K in tally.counts.items()}
        return {**tally.means(), **used, **evenly}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Images, their reconstructions, and each level decoded alone: D(s, 0) and D(0, t) (paper Fig. 2)."""
        raw_BCHW, encoded = self.model(batch.image_BCHW)
        return {
            "image": batch.image_BCHW,
            "reconstruction": raw_BCHW.clamp(-1, 1),
            "structure": self.model.structure_alone(encoded.structure.codes_BHW),
            "texture": self.model.texture_alone(encoded.texture.codes_BHW),
        }

    def state(self) -> dict[str, Stateful]:
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> VqPart:
    """The part, ready to learn."""
    return VqPart(params, spec, accelerator)
