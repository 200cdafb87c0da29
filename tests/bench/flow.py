"""The conditional flow's inverse, 25 samples of an image: ours against one call a sample and a textbook's batch.

The textbook's inverse goes layer by layer as it is written down: actnorm and permutation apart, W inverted at every
step, the condition networks run for every row.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.contract import Spec
from stages.methods.flow_fill.blocks.noise import normal
from stages.methods.flow_fill.blocks.structure import Sizes, Structure
from stages.nets.glow import FlowStep, Level
from stages.nets.seeded import generators

SAMPLES = 25
SIZES = Sizes(stage1=1.0, levels=4, flow_steps=10, width=32)  # the paper's L and K, at its 64 px


def model() -> Structure:
    """The paper's flow, its parameters moved away from the identity that a flow begins as."""
    torch.manual_seed(0)
    net = Structure(SIZES, Spec(64)).eval().requires_grad_(False)
    for parameter in net.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    return net


def ours(net: Structure, z: list[Tensor], image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """All samples at once, E_theta and its convolutions once an image."""
    return net.flow.inverse(z, net.conditions(image_BCHW, known_B1HW))


def a_call_a_sample(net: Structure, z: list[Tensor], image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """The textbook's inverse, one row at a time."""
    rows = range(len(z[0]))
    return torch.cat([textbook(net, [z_RCHW[k : k + 1] for z_RCHW in z], image_BCHW, known_B1HW) for k in rows])


def textbook(net: Structure, z: list[Tensor], image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """The textbook's inverse of a batch."""
    rows = len(z[0])
    conditions = net.conditions(image_BCHW.repeat(rows, 1, 1, 1), known_B1HW.repeat(rows, 1, 1, 1))
    *finer, x_RCHW = z
    for n in reversed(range(len(z))):
        if n < len(finer):
            x_RCHW = net.flow.splits[n].inverse(x_RCHW, finer[n])
        x_RCHW = _level(net.flow.levels[n], x_RCHW, conditions[n])
    return x_RCHW


def _level(level: Level, x_RCHW: Tensor, condition_RCHW: Tensor) -> Tensor:
    share = len(level.taps.weight) // len(level.steps)
    for number in reversed(range(len(level.steps))):
        rows = slice(number * share, (number + 1) * share)
        padding = level.taps.padding[0]
        tap_RCHW = F.conv2d(condition_RCHW, level.taps.weight[rows], level.taps.bias[rows], padding=padding)
        x_RCHW = _step(level.steps[number], x_RCHW, tap_RCHW)
    return level.squeeze.inverse(x_RCHW)


def _step(step: FlowStep, z_RCHW: Tensor, tap_RCHW: Tensor) -> Tensor:
    for_coupling_RCHW, for_injector_RCHW = tap_RCHW.chunk(2, 1)
    z_RCHW = step.coupling.inverse(step.injector.inverse(z_RCHW, for_injector_RCHW), for_coupling_RCHW)
    inverse_CC = torch.inverse(step.permutation.matrix(z_RCHW))
    return step.norm.inverse(F.conv2d(z_RCHW, inverse_CC[:, :, None, None]))


def rows(rounds: int = 3) -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds), in turn, the median of rounds."""
    net = model()
    generator = torch.Generator().manual_seed(0)
    known_B1HW = torch.ones(1, 1, 64, 64)
    known_B1HW[..., 16:48, 16:48] = 0
    given = (
        normal(generators(torch.arange(SAMPLES)), net.latents),
        torch.rand(1, 3, 64, 64, generator=generator),
        known_B1HW,
    )
    ways: list[Callable[..., Tensor]] = [a_call_a_sample, textbook, ours]
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        results = []
        for seconds, way in zip(taken, ways, strict=True):
            start = time.perf_counter()
            results.append(way(net, *given))
            seconds.append(time.perf_counter() - start)
        assert all(torch.allclose(x_RCHW, results[-1], atol=1e-3) for x_RCHW in results), "the same pictures"
    alone, batched, own = (median(seconds) for seconds in taken)
    name = f"flow inverse, L4 K10, 64 px, {SAMPLES} samples"
    return [(f"{name}: a call a sample", alone, own), (f"{name}: a textbook's batch", batched, own)]
