"""The restrictive encoder: tokens of what is visible, told apart from what is not (paper 000, Sec. 3.1, eq. 3-5).

Axes: K codes; H W are pixels of images and cells of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Adam

from stages.contract import Accelerator, Batch, Spec, Stateful, Trained
from stages.images.pixels import blank
from stages.losses.codes import cross_entropy
from stages.losses.means import masked_mean
from stages.losses.tally import Tally
from stages.methods.latent_codes import vq
from stages.methods.latent_codes.blocks.rate import Rate
from stages.methods.latent_codes.blocks.teacher import Teacher, prepared
from stages.methods.latent_codes.blocks.token_mask import Sizes, TokenMask, enlarge, near_hole, same_grid
from stages.methods.latent_codes.blocks.vq_start import begin, same_sizes
from stages.nets import pyramid
from stages.nets.partial_conv import Convolution, PlainConv2d, RestrictiveConv2d
from stages.training.schedules import Schedule

PARENTS: tuple[str, ...] = ("vq",)
SHARED: tuple[str, ...] = ("token_mask",)

CHOICES: tuple[str, ...] = (  # what the paper leaves open
    "a token is read off where a share alpha of the 2 x 2 block below it is seen, at every halving (window: stride, as "
    "released): eq. 4's n x n window (kernel) lies off-centre at each, and a mirrored mask gives other cells; with "
    "blocks, layers that halve nothing only keep the mask",
    "the last convolution gives the classes: two linear layers in a row would say no more (as released there are 256 "
    "channels between, with a ReLU on them and on the logits)",
    "statistics, attention and convolutions are masked throughout (strict); a hidden position is 0 once normalised",
    "the loss is a mean over visible cells, not a sum",
    "start: vq is ours: the paper's encoder begins from scratch",
)

BETAS = (0.9, 0.95)  # Adam's, as released


class Params(Rate, Sizes):
    """The encoder; stem, cells and codes are the vq's."""

    # Tables 2 and 3; miracle sees the whole image; vq: the vq's own, which learns nothing (as MaskGIT inpaints)
    kind: Literal["restrictive", "vanilla", "miracle", "vq"] = "restrictive"
    start: Literal["scratch", "vq"] = "scratch"  # the paper names none; vq: ours, as its encoder and codebook
    strict: bool = True  # masks everywhere; False: the released way, which lets masked features back in
    mask_input: bool = False  # the mask as a fourth channel; the paper names none (as released: there)
    token_mask: TokenMask = TokenMask()

    def sizes(self, parent: vq.Params) -> Sizes:
        """Those of the vq, where the encoder is the vq's."""
        return parent if self.kind == "vq" else self


class TokenEncoder(nn.Module):
    """Logits of the token of every cell; those of cells that are not visible mean nothing."""

    def __init__(self, params: Params, parent: vq.Params, spec: Spec) -> None:
        super().__init__()
        sizes = params.sizes(parent)
        same_grid("encoder", sizes.multipliers, parent.multipliers)
        self.kind, self.mask_input, self.rule = params.kind, params.mask_input, params.token_mask
        self.stem, self.levels = parent.stem, len(sizes.multipliers)
        conv, shape = _convolution(params), sizes.shape(spec, parent.stem, masked=params.strict)
        self.encoder = pyramid.Encoder(shape, 4 if params.mask_input else 3, parent.codes, conv)

    def cells(self, known_B1HW: Tensor) -> Tensor:
        """The token mask: 1 where a token is read off (eq. 4)."""
        return self.rule.cells(known_B1HW, self.stem, self.levels)

    def forward(self, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        """logits_BKHW. Of the image, only known pixels are looked at, unless it is the miracle."""
        x_BCHW = image_BCHW if self.kind == "miracle" else blank(image_BCHW, known_B1HW)
        if self.mask_input:
            x_BCHW = torch.cat([known_B1HW - 0.5, x_BCHW], 1)
        seen_B1HW = known_B1HW if self.kind == "restrictive" else None
        return self.encoder(x_BCHW, seen_B1HW)[0]


def _convolution(params: Params) -> Convolution:
    if params.kind != "restrictive":
        return PlainConv2d
    rule = params.token_mask
    border: Literal["outside", "hole"] = "outside" if params.strict else "hole"
    return partial(RestrictiveConv2d, alpha=rule.alpha, window=rule.window, border=border, strict=params.strict)


def restore(trained: Trained, parent: Trained) -> TokenEncoder:
    """The released encoder of the vq `parent`, frozen, on the CPU."""
    params = Params.model_validate(trained.params)
    model = TokenEncoder(params, vq.Params.model_validate(parent.params), trained.spec)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


class EncoderPart:
    """Learns the vq's tokens of the whole image from its visible part, by cross-entropy on visible cells (eq. 5)."""

    def __init__(self, params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> None:
        self.accelerator, self.teacher = accelerator, Teacher(parents, accelerator)
        self.model = prepared(_begun(params, self.teacher, spec), accelerator)
        self.optimizer = Adam(self.model.parameters(), lr=params.lr, betas=BETAS)
        self.schedule = Schedule(self.optimizer, params)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        codes_BHW = self.teacher.codes(batch.image_BCHW)
        with self.accelerator.autocast():
            logits_BKHW = self.model(batch.image_BCHW, batch.known_B1HW)
        cells_BHW = self.model.cells(batch.known_B1HW)[:, 0]
        loss = masked_mean(cross_entropy(logits_BKHW, codes_BHW), cells_BHW)
        accuracy = masked_mean((logits_BKHW.argmax(1) == codes_BHW).float(), cells_BHW)
        if self.model.kind != "vq":
            self.accelerator.minimize(loss, self.optimizer)
        return {"cross_entropy": loss.detach(), "accuracy": accuracy.detach()}

    @torch.no_grad()
    def measure(self, batch: Batch) -> Tally:
        """Cross-entropy, and accuracy over visible cells and over those near the hole; `vq_`: the vq's own encoder.

        The vq's encoder is given the masked image: what the restrictive one is there to do better.
        """
        tally = Tally()
        codes_BHW = self.teacher.exact_codes(batch.image_BCHW)
        cells_B1HW = self.model.cells(batch.known_B1HW)
        cells_BHW, near_BHW = cells_B1HW[:, 0], near_hole(batch.known_B1HW, cells_B1HW)[:, 0]
        logits_BKHW = self.model(batch.image_BCHW, batch.known_B1HW)
        tally.mean("cross_entropy", cross_entropy(logits_BKHW, codes_BHW), cells_BHW)
        masked = self.teacher.exact_codes(blank(batch.image_BCHW, batch.known_B1HW))
        for name, guess_BHW in (("", logits_BKHW.argmax(1)), ("vq_", masked)):
            tally.mean(f"{name}accuracy", guess_BHW == codes_BHW, cells_BHW)
            tally.mean(f"{name}accuracy_near", guess_BHW == codes_BHW, near_BHW)
        tally.mean("kept", cells_BHW)
        tally.mean("near", near_BHW)
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        """Means over all images."""
        return tally.means()

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Masked images, their token masks, and the tokens read off, decoded by the vq beside the true ones."""
        cells_B1HW = self.model.cells(batch.known_B1HW)
        guess_BHW = self.model(batch.image_BCHW, batch.known_B1HW).argmax(1)
        return {
            "masked": blank(batch.image_BCHW, batch.known_B1HW),
            "token_mask": enlarge(cells_B1HW, batch.image_BCHW.shape[-1]),
            "tokens": self.teacher.picture(guess_BHW, cells_B1HW),
            "true_tokens": self.teacher.picture(self.teacher.exact_codes(batch.image_BCHW), cells_B1HW),
        }

    def state(self) -> dict[str, Stateful]:
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}


def _begun(params: Params, teacher: Teacher, spec: Spec) -> TokenEncoder:
    """The network before its first step."""
    model = TokenEncoder(params, teacher.params, spec)
    if params.start == "vq" or params.kind == "vq":
        same_sizes(params.sizes(teacher.params), teacher.params)
        begin(model.encoder, teacher.net)
    return model


def build(params: Params, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> EncoderPart:
    """The part, ready to learn."""
    return EncoderPart(params, parents, spec, accelerator)
