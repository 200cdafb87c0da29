"""Pluralistic completion: encode what is visible, draw the hidden tokens, decode both together (paper 000, Sec. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from stages import contract
from stages.contract import Completions, Request, Trained, UserError
from stages.methods.latent_codes import decoder, encoder, prior, vq
from stages.methods.latent_codes.blocks.token_mask import TokenMask, enlarge
from stages.methods.latent_codes.sampling.doubt import trusted
from stages.methods.latent_codes.sampling.places import carried
from stages.methods.latent_codes.sampling.sampler import Confidence, Rule, complete
from stages.sampling.timing import Phases

PARENTS: tuple[str, ...] = ("vq", "encoder", "prior", "decoder")
SHARED: tuple[str, ...] = ("token_mask",)
ALPHAS = (10, 25, 50, 75, 100)  # hundredths: of the token masks that are shown side by side


class Params(contract.Params):
    """How tokens are drawn and decoded; Sec. 3.2's by default."""

    temperature: float = Field(default=1.0, gt=0)
    annealing: float = Field(default=0.9, gt=0)
    steps: int = Field(default=5, ge=1)
    confidence: Confidence = "probability"  # as released; "maskgit" ranks draws, not positions
    choice_temperature: float = Field(default=4.5, ge=0)  # of MaskGIT's confidence alone
    deterministic: bool = False  # the likeliest codes: one completion, whatever the seed
    doubted: float = Field(
        default=0.0, ge=0, le=1
    )  # ours: mostly hidden cells whose token is less likely are drawn anew
    positions: Literal["trained", "interpolated"] = "trained"  # ours: the prior's places carried over to another size
    decoding: Literal["composed", "vanilla"] = "composed"  # eq. 7-8; vanilla: the vq decodes the codes alone (Table 2)
    token_mask: TokenMask = TokenMask()

    def rule(self) -> Rule:
        """The sampler's part of it."""
        return Rule(**self.model_dump(include=set(Rule.__dataclass_fields__)))


def same_token_mask(asked: TokenMask, learnt: TokenMask) -> None:
    """UserError where tokens would be read off by another rule than the encoder learnt."""
    if asked != learnt:
        raise UserError(
            f"params: methods.latent_codes.token_mask is {asked.model_dump()}, but the encoder learnt with "
            f"{learnt.model_dump()}: train it anew by `dvc repro latent_codes@encoder`, or set it back"
        )


class Inpainter:
    """vq, encoder, prior and decoder in one.

    `whole_image` is True where the encoder is the miracle of Table 3, which reads tokens off the complete image: an
    ablation, for requests whose hole is not blanked, and no inpainter for a user.
    """

    def __init__(self, params: Params, parents: Mapping[str, Trained], device: torch.device) -> None:
        self.params, self.device = params, device
        code = parents["vq"]
        self.vq = vq.restore(code).to(device)
        self.encoder = encoder.restore(parents["encoder"], code).to(device)
        self.prior = prior.restore(parents["prior"], code).to(device)
        self.decoder = decoder.restore(parents["decoder"], code).to(device)
        same_token_mask(params.token_mask, self.encoder.rule)
        self.whole_image = self.encoder.kind == "miracle"
        self._phase = Phases(device)

    @torch.no_grad()
    def sample(self, request: Request) -> Completions:
        """K completions an image, in float32 throughout: batches of any size give the same codes."""
        image_BCHW, known_B1HW = request.image_BCHW.to(self.device), request.known_B1HW.to(self.device)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            with self._phase("encode"):
                logits_BKHW = self.encoder(image_BCHW, known_B1HW)
                cells_B1HW = self.encoder.cells(known_B1HW)
                cells_B1HW = trusted(cells_B1HW, logits_BKHW, known_B1HW, self.params.doubted)
            with self._phase("tokens"):
                drawn_BKHW = self._draw(logits_BKHW.argmax(1), cells_B1HW, request.seeds_BK)
            with self._phase("decode"):
                raw_BKCHW = self._decode(image_BCHW, known_B1HW, cells_B1HW, drawn_BKHW)
        side = {"token_mask": enlarge(cells_B1HW, image_BCHW.shape[-1]), "codes": self._codes_picture(drawn_BKHW)}
        side |= {f"alpha-{alpha:03d}": self._cells_at(known_B1HW, alpha / 100) for alpha in ALPHAS}
        return Completions(raw_BKCHW.clamp(-1, 1), side, dict(self._phase.seconds))

    def _draw(self, codes_BHW: Tensor, cells_B1HW: Tensor, seeds_BK: Tensor) -> Tensor:
        visible_BN = cells_B1HW.flatten(1) > 0
        prior = partial(self.prior, place_ND=carried(self.prior.place_ND, visible_BN.shape[1]))
        drawn_BKN = complete(prior, codes_BHW.flatten(1), visible_BN, seeds_BK, self.params.rule())
        return drawn_BKN.unflatten(2, codes_BHW.shape[1:])

    def _decode(self, image_BCHW: Tensor, known_B1HW: Tensor, cells_B1HW: Tensor, codes_BKHW: Tensor) -> Tensor:
        samples = codes_BKHW.shape[1]
        z_RDHW = self.vq.quantizer.look_up(codes_BKHW.flatten(0, 1))
        if self.params.decoding == "vanilla":
            return self.vq.decode(z_RDHW).unflatten(0, (-1, samples))
        features_BDHW = self.decoder.features(image_BCHW, known_B1HW)  # once an image, for all its samples
        image_RCHW, known_R1HW, features_RDHW, cells_R1HW = (
            x.repeat_interleave(samples, 0) for x in (image_BCHW, known_B1HW, features_BDHW, cells_B1HW)
        )
        raw_RCHW = self.decoder.compose(features_RDHW, z_RDHW, cells_R1HW)
        return self.decoder.refine(raw_RCHW, image_RCHW, known_R1HW).unflatten(0, (-1, samples))

    def _cells_at(self, known_B1HW: Tensor, alpha: float) -> Tensor:
        """The token mask that another alpha would give (Fig. 3)."""
        rule = self.params.token_mask.model_copy(update={"alpha": alpha})
        return enlarge(rule.cells(known_B1HW, self.encoder.stem, self.encoder.levels), known_B1HW.shape[-1])

    def _codes_picture(self, codes_BKHW: Tensor) -> Tensor:
        """The first sample's codes decoded by the vq alone."""
        return self.vq.decode(self.vq.quantizer.look_up(codes_BKHW[:, 0])).clamp(-1, 1)


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> Inpainter:
    """The inpainter on its device."""
    return Inpainter(params, parents, device)


def other_size(params: Params, parts: Mapping[str, Mapping[str, Any]], size: int) -> str:
    """Why images of a size that the parts were not trained on are not completed; "" where they are."""
    if params.positions == "trained":
        return "methods.latent_codes.inpaint.positions=interpolated carries the prior's places over to other sizes"
    coder = vq.Params.model_validate(parts["vq"])
    cell = coder.stem * 2 ** (len(coder.multipliers) - 1)
    return f"it does not divide into cells of {cell} px" if size % cell else ""
