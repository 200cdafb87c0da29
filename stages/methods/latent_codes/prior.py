"""The bidirectional transformer: tokens of the hole from visible tokens (paper 000, Sec. 3.2, eq. 6).

Axes: N positions of the token grid in raster order, K codes, D channels, M wanted positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.optim import AdamW

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained, UserError
from stages.images.pixels import blank
from stages.losses.codes import cross_entropy
from stages.losses.marginals import Marginals
from stages.losses.means import masked_mean
from stages.losses.tally import Tally
from stages.methods.latent_codes import vq
from stages.methods.latent_codes.blocks.noise import chances, random_visible
from stages.methods.latent_codes.blocks.rate import Rate
from stages.methods.latent_codes.blocks.teacher import Teacher, prepared
from stages.methods.latent_codes.blocks.token_mask import half_known
from stages.nets.seeded import exponential, generators
from stages.nets.transformer import Transformer, decayed, initialise
from stages.training.schedules import Schedule

PARENTS: tuple[str, ...] = ("vq",)
SHARED: tuple[str, ...] = ()

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "each image has a ratio of hidden tokens of its own (as released: one a batch), and they lie scattered",
    "a position more, of no token, is seen by all (as released)",
    "codes enter by the codebook (eq. 6), the classes' layer is not tied to it",
    "regions and misread are ours",
)

BETAS = (0.9, 0.95)  # AdamW's, as released


class Params(Rate):
    """The transformer's sizes (paper Sec. 6) and its masks in training."""

    width: int = 1408
    layers: int = Field(default=40, ge=1)
    heads: int = 16
    dropout: float = Field(default=0.1, ge=0, lt=1)  # of embeddings, attention and residuals
    input: Literal["codebook", "embedding"] = "codebook"  # eq. 6: C(D); a learned table as released
    lowest_ratio: float = Field(default=0.15, ge=0, le=1)  # of hidden tokens, drawn uniformly an image; Sec. 3.2
    highest_ratio: float = Field(default=0.75, ge=0, le=1)
    regions: float = Field(default=0.0, ge=0, le=1)  # ours: share of images whose hidden tokens are those under `masks`
    misread: float = Field(default=0.0, ge=0, le=1)  # ours: share of these whose tokens the vq reads off what is known
    weight_decay: float = Field(default=0.01, ge=0)  # on linear layers, as released


class TokenPrior(nn.Module):
    """Logits of every token from the visible ones; what hidden positions hold is never read."""

    codebook_KD: Tensor  # the vq's code vectors, where these are the input
    embed: nn.Linear | nn.Embedding

    def __init__(self, params: Params, parent: vq.Params, spec: Spec) -> None:
        super().__init__()
        positions = (spec.size // parent.shape(spec, parent.stem).factor) ** 2
        if params.input == "codebook":
            self.register_buffer("codebook_KD", torch.zeros(parent.codes, parent.channels))
            self.embed = nn.Linear(parent.channels, params.width)
        else:
            self.embed = nn.Embedding(parent.codes, params.width)
        self.hidden_D = nn.Parameter(torch.zeros(params.width))  # [MASK]
        self.start_D = nn.Parameter(torch.zeros(params.width))  # a position of no token that all see, as released
        self.place_ND = nn.Parameter(torch.zeros(positions + 1, params.width))
        self.transformer = Transformer(params.width, params.layers, params.heads, params.dropout)
        self.head = nn.Linear(params.width, parent.codes, bias=False)
        self.dropout = params.dropout
        initialise(self)
        for parameter in (self.hidden_D, self.start_D, self.place_ND):
            nn.init.normal_(parameter, std=0.02)

    def forward(
        self, codes_BN: Tensor, visible_BN: Tensor, wanted_BM: Tensor | None = None, place_ND: Tensor | None = None
    ) -> Tensor:
        """logits_BNK, or logits_BMK of the wanted positions alone; `place_ND` are another grid's places."""
        token_BND = self._embed(codes_BN)
        token_BND = torch.where(visible_BN[:, :, None], token_BND, self.hidden_D.to(token_BND.dtype))
        start_B1D = self.start_D.to(token_BND.dtype).expand(len(codes_BN), 1, -1)
        x_BND = torch.cat([start_B1D, token_BND], 1) + (self.place_ND if place_ND is None else place_ND)
        seen_BN = F.pad(visible_BN, (1, 0), value=True)
        wanted_BM = None if wanted_BM is None else wanted_BM + 1
        y_BND = self.transformer(F.dropout(x_BND, self.dropout, self.training), seen_BN, wanted_BM)
        return self.head(y_BND if wanted_BM is not None else y_BND[:, 1:])

    def _embed(self, codes_BN: Tensor) -> Tensor:
        if isinstance(self.embed, nn.Embedding):
            return self.embed(codes_BN)
        return self.embed(F.embedding(codes_BN, self.codebook_KD))


def restore(trained: Trained, parent: Trained) -> TokenPrior:
    """The released prior over the codes of the vq `parent`, frozen, on the CPU."""
    params = Params.model_validate(trained.params)
    model = TokenPrior(params, vq.Params.model_validate(parent.params), trained.spec)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class PriorPart:
    """Learns to tell hidden tokens of whole images, by cross-entropy on the hidden ones (eq. 6)."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> None:
        self.params, self.accelerator, self.teacher = params, accelerator, Teacher(parents, accelerator)
        model = TokenPrior(params, self.teacher.params, spec)
        if params.input == "codebook":
            model.codebook_KD.copy_(self.teacher.net.quantizer.vectors().detach())
        self.model = prepared(model, accelerator)
        groups = decayed(self.model, params.weight_decay)
        self.optimizer = AdamW(groups, lr=params.lr, betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)
        self.marginals = prepared(Marginals(len(self.model.place_ND) - 1, self.teacher.params.codes), accelerator)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        self.model.train()
        codes_BN = self.teacher.codes(batch.image_BCHW).flatten(1)
        visible_BN, region_B1 = self._visible_in_training(batch, codes_BN)
        self.marginals.count(codes_BN)
        shown_BN = self._misread(batch, codes_BN, region_B1)
        with self.accelerator.autocast():
            logits_BNK = self.model(shown_BN, visible_BN)
        loss = masked_mean(cross_entropy(logits_BNK.transpose(1, 2), codes_BN), ~visible_BN)
        self.accelerator.minimize(loss, self.optimizer)
        return {"cross_entropy": loss.detach()}

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """Cross-entropy on hidden tokens in nats; the same of the tokens' marginals, overall and a position.

        Hidden tokens lie scattered, however the part learns.
        """
        self.model.eval()
        tally = Tally()
        self._need_holes(batch)
        codes_BN = self.teacher.exact_codes(batch.image_BCHW).flatten(1)
        visible_BN = self._visible(batch, codes_BN)
        logits_BNK = self.model(codes_BN, visible_BN)
        tally.mean("cross_entropy", cross_entropy(logits_BNK.transpose(1, 2), codes_BN), ~visible_BN)
        tally.mean("accuracy", logits_BNK.argmax(2) == codes_BN, ~visible_BN)
        overall_BN, placed_BN = self.marginals.cross_entropy(codes_BN)
        tally.mean("marginal_cross_entropy", overall_BN, ~visible_BN)
        tally.mean("positional_cross_entropy", placed_BN, ~visible_BN)
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means over all images."""
        return tally.means()

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Tokens decoded by the vq: the image's, the visible ones', and two guesses of the hidden ones.

        The likeliest token at each hidden position, and one drawn at each: what the network believes in one pass, and
        no completion, which `inpaint` draws in several steps.
        """
        self.model.eval()
        codes_BHW = self.teacher.exact_codes(batch.image_BCHW)
        visible_BHW = self._visible(batch, codes_BHW.flatten(1)).view_as(codes_BHW)
        logits_BNK = self.model(codes_BHW.flatten(1), visible_BHW.flatten(1))
        noise_BNK = exponential(generators(batch.seeds_B), [logits_BNK.shape[1]] * len(logits_BNK), logits_BNK.shape[2])
        drawn_BNK = logits_BNK - noise_BNK.view_as(logits_BNK).to(logits_BNK.device).log()
        guesses = {"likeliest": logits_BNK.argmax(2), "drawn": drawn_BNK.argmax(2)}
        return {
            "tokens": self.teacher.picture(codes_BHW),
            "visible": self.teacher.picture(codes_BHW, visible_BHW[:, None].float()),
            **{
                name: self.teacher.picture(torch.where(visible_BHW, codes_BHW, guess_BN.view_as(codes_BHW)))
                for name, guess_BN in guesses.items()
            },
        }

    def state(self) -> dict[str, Stateful]:
        own: dict[str, Stateful] = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        return {**own, "marginals": self.marginals}

    def _visible(self, batch: Batch, codes_BN: Tensor) -> Tensor:
        low, high = self.params.lowest_ratio, self.params.highest_ratio
        return random_visible(batch.seeds_B, codes_BN.shape[1], low, high).to(codes_BN.device)

    def _visible_in_training(self, batch: Batch, codes_BN: Tensor) -> tuple[Tensor, Tensor]:
        """(visible_BN, region_B1): scattered, or of the holes' shape in images where region_B1 says so."""
        visible_BN = self._visible(batch, codes_BN)
        outside_BN = half_known(batch.known_B1HW, codes_BN.shape[1])
        chosen_B = chances(batch.seeds_B)[:, 0].to(codes_BN.device) < self.params.regions
        region_B1 = (chosen_B & ~outside_BN.all(1))[:, None]  # a hole of less than a cell hides nothing
        return torch.where(region_B1, outside_BN, visible_BN), region_B1

    def _misread(self, batch: Batch, codes_BN: Tensor, region_B1: Tensor) -> Tensor:
        """The codes as they are shown: in a share of the images with regions, what the vq reads beside the holes."""
        if not self.params.misread:
            return codes_BN
        chosen_B1 = chances(batch.seeds_B)[:, 1:].to(codes_BN.device) < self.params.misread
        read_BN = self.teacher.codes(blank(batch.image_BCHW, batch.known_B1HW)).flatten(1)
        return torch.where(chosen_B1 & region_B1, read_BN, codes_BN)

    def _need_holes(self, batch: Batch) -> None:
        """UserError where tokens are to be hidden under holes that no mask generator draws, or read beside none."""
        if self.params.misread and not self.params.regions:
            raise UserError(
                "params: methods.latent_codes.prior.misread is a share of the images with regions: "
                "set methods.latent_codes.prior.regions above 0"
            )
        if self.params.regions and bool(batch.known_B1HW.all()):
            raise UserError(
                "params: methods.latent_codes.prior.regions needs holes: "
                "name a generator in methods.latent_codes.prior.masks"
            )


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> PriorPart:
    """The part, ready to learn."""
    return PriorPart(params, parents, spec, accelerator)
