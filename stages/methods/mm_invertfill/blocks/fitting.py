"""Encoders that fit the generator which they invert: in its sizes and, untrained, about its mean style."""

from __future__ import annotations

from stages.contract import Spec, UserError
from stages.methods.mm_invertfill.blocks.generator import FIRST, Generator
from stages.methods.mm_invertfill.blocks.mean_latent import style_spread
from stages.methods.mm_invertfill.blocks.network import GuidedEncoder, Target
from stages.methods.mm_invertfill.blocks.sizes import LEVELS, Sizes

SPREAD_OF = 1024  # styles whose mean and deviation an untrained encoder's are given


def fitted(sizes: Sizes, spec: Spec, generator: Generator) -> GuidedEncoder:
    """An encoder for images of `spec` that this generator is to paint; UserError where it paints no such images."""
    if spec.size != generator.sides[-1]:
        raise UserError(
            f"datasets: the encoder's images have {spec.size} px, those of its generator "
            f"(methods.mm_invertfill.prior.dataset) {generator.sides[-1]} px; train both at one size"
        )
    if sizes.space == "f_w_plus":
        _refuse_without_maps(spec.size, generator)
    target = Target(generator.latent, generator.layers, generator.channels)
    return GuidedEncoder(sizes, spec.size, spec.classes, target)


def _refuse_without_maps(size: int, generator: Generator) -> None:
    absent = [size // factor for factor in LEVELS if size // factor not in generator.channels]
    if absent:
        raise UserError(
            f"datasets: images of {size} px: their generator has no maps of {absent[0]} px that f_w_plus could add to; "
            f"choose {LEVELS[0] * FIRST} px or more, or methods.mm_invertfill.encoder.space: w_plus"
        )


def begun(sizes: Sizes, spec: Spec, generator: Generator) -> GuidedEncoder:
    """The same, untrained, its styles about the generator's mean."""
    model = fitted(sizes, spec, generator)
    device = next(model.parameters()).device
    model.begin_at(*(value_D.to(device) for value_D in style_spread(generator, SPREAD_OF)))
    return model
