"""StyleGAN2's operators against their definitions: resampling, and modulated convolution.

A filter's peer puts zeros between values and convolves depthwise by the whole 4 x 4 filter, or does so and then leaves
out every second value. A modulated convolution's peer makes every image's own filters and convolves one group an image.
Maps are in the memory format that training uses (channels last) and in the other one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.nets.fir import downsample, upsample
from stages.nets.modulated_conv import ModulatedConv2d
from tests.bench.turns import race
from tests.nets.test_styled import FILTER, grouped, spread

BATCH, STYLE, ROUNDS = 8, 64, 9
RESAMPLED = ((64, 32), (128, 16))  # channels, pixels a side
MODULATED = ((256, 16), (128, 32), (64, 64), (32, 64), (512, 8))
LAYOUTS = {"channels last": torch.channels_last, "first": torch.contiguous_format}
Way = Callable[[], Tensor]


def rows() -> Iterator[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds), in turn, the median of rounds."""
    torch.manual_seed(0)
    for layout, memory_format in LAYOUTS.items():
        for channels, side in RESAMPLED:
            x_BCHW = _maps(channels, side, memory_format)
            where = f"{channels} x {side} px, {layout}"
            yield from _passes(f"up, {where}", partial(_spread, x_BCHW), partial(upsample, x_BCHW), [x_BCHW])
            yield from _passes(f"down, {where}", partial(_thinned, x_BCHW), partial(downsample, x_BCHW), [x_BCHW])
        for channels, side in MODULATED:
            x_BCHW, w_BD = _maps(channels, side, memory_format), torch.randn(BATCH, STYLE, requires_grad=True)
            conv = ModulatedConv2d(channels, channels, 3, STYLE).to(memory_format=memory_format)
            leaves = [x_BCHW, w_BD, *conv.parameters()]
            what = f"modulated, {channels} x {side} px, {layout}"
            yield from _passes(what, partial(grouped, conv, x_BCHW, w_BD), partial(conv, x_BCHW, w_BD), leaves)


def _maps(channels: int, side: int, memory_format: torch.memory_format) -> Tensor:
    return torch.randn(BATCH, channels, side, side).to(memory_format=memory_format).requires_grad_()


def _spread(x_BCHW: Tensor) -> Tensor:
    """Twice as large by the definition."""
    return _filtered(F.pad(spread(x_BCHW), (2, 1, 2, 1)), gain=4.0)


def _thinned(x_BCHW: Tensor) -> Tensor:
    """Half as large by the definition."""
    return _filtered(F.pad(x_BCHW, (1, 1, 1, 1)))[:, :, ::2, ::2]


def _filtered(x_BCHW: Tensor, gain: float = 1.0) -> Tensor:
    channels = x_BCHW.shape[1]
    return F.conv2d(x_BCHW, (gain * FILTER).expand(channels, 1, 4, 4), groups=channels)


def _passes(what: str, peer: Way, ours: Way, leaves: list[Tensor]) -> Iterator[tuple[str, float, float]]:
    with torch.no_grad():
        slope_BCHW, expected_BCHW = ours(), peer()
        assert torch.allclose(slope_BCHW, expected_BCHW, atol=1e-4)
        yield f"{what}, forward", *race(peer, ours, ROUNDS, warm_up=2)

    def both(way: Way) -> Callable[[], object]:
        return lambda: torch.autograd.grad(way(), leaves, slope_BCHW)

    yield f"{what}, forward and backward", *race(both(peer), both(ours), ROUNDS, warm_up=2)
