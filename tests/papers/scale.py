"""What training on Places2 would take on 1, 8 and 64 GPUs, on paper: `python -m tests.papers.scale` writes the page.

Operations are counted on the meta device, of a whole step of every part under preset `places`: forward and backward
passes of its networks and of the classifiers that its losses read. All that is assumed stands in ASSUMED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torchvision import models

from stages.contract import Features, Perceptual
from stages.sampling import testsets
from stages.training import dry_run, parts
from stages.training.checkpoints import KEPT
from stages.training.dry_run import DryAccelerator
from stages.training.fit.held import Held, held
from stages.training.parts import Plan
from tests.papers.cells import values

PAGE = Path("reports/scale.md")
PRESET = "places"
IMAGES = 1_803_460 + 36_500  # Places365-Standard: train, val
GPUS = (1, 8, 64)
PEAK = 312e12  # operations a second of an A100 in bfloat16, by its data sheet
SHARE = 0.35  # of these that training reaches
INSIDE, BETWEEN = 200e9, 25e9  # bytes a second and GPU, within a machine of 8 and between machines
MACHINE = 8
COUNTED = 4  # images of a counted micro-batch: the least that every part takes
TESTED = 36_500  # Places365-Standard's val, where a test set has no number of images of its own
PIXELS = 3 * 256**2  # bytes of an image
HOURS = [f"hours on {n}" for n in GPUS]
BINDS = f"on {GPUS[-1]}, what binds"
READ = [f"MB/s read on {n}" for n in GPUS[1:]]
ASSUMED = f"""# Places2 on {", ".join(map(str, GPUS))} GPUs, on paper

Written by `python -m tests.papers.scale` from preset `{PRESET}`; nothing here was measured on a GPU. Operations and
bytes are counted, without memory, from the networks themselves. Assumed is:

- a GPU does {PEAK / 1e12:.0f} 10^12 operations a second (A100, bfloat16), and training reaches {SHARE:.0%} of that,
  however few images a GPU has in a step; a multiplication and an addition are two operations;
- gradients (float32) go round a ring after the backward pass (`loop.parallel: averaged`; the others hide it behind
  that): of n GPUs each sends 2 (n - 1) / n of them, {INSIDE / 1e9:.0f} GB a second within a machine of {MACHINE} GPUs,
  {BETWEEN / 1e9:.0f} GB between machines;
- a step has the preset's batch, whatever the GPUs: no more of them are used than share it out evenly;
- a penalty that has a turn every so many steps is counted in every step, and a discriminator that begins later from
  the first one on: both are a little too much;
- classifiers that losses read are torchvision's, their convolutions whole;
- reading, evaluation and checkpoints cost no time.
"""


class Counting(DryAccelerator):
    """Backward passes are made, of no numbers, and losses read classifiers of the true shapes."""

    def minimize(self, loss: Tensor, optimizer: Optimizer) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        torch.autograd.grad(loss, parameters, allow_unused=True)

    def perceptual(self, net: str) -> Perceptual:
        maps = _backbone(net)
        return lambda image_BCHW, other_BCHW: (maps(image_BCHW) - maps(other_BCHW)).flatten(1).mean(1)

    def features(self, net: str) -> Features:
        maps = _backbone(net)
        return lambda image_BCHW: [maps(image_BCHW)] * 3


class Operations(TorchDispatchMode):
    """Counts products and convolutions by torch's own formulas; its FlopCounterMode refuses R1's gradient of a leaf."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func._overloadpacket):
            self.count += formula(*args, **(kwargs or {}), out_val=out)
        return out


@dataclass(frozen=True)
class Cost:
    """A part's training: operations an image, what it holds, and how its steps divide."""

    plan: Plan
    operations: float
    holds: Held

    def used(self, gpus: int) -> int:
        """The most GPUs, of so many, among which the batch divides."""
        return max(n for n in range(1, gpus + 1) if self.plan.loop.batch % n == 0)

    def computing(self, gpus: int) -> float:
        """Seconds of a step."""
        return self.operations * self.plan.loop.batch / self.used(gpus) / (PEAK * SHARE)

    def sent(self, gpus: int) -> float:
        """Bytes that each GPU sends in a step."""
        n = self.used(gpus)
        return 2 * (n - 1) / n * self.holds.gradients

    def sending(self, gpus: int) -> float:
        """Seconds of a step."""
        return self.sent(gpus) / (INSIDE if self.used(gpus) <= MACHINE else BETWEEN)

    def reads(self, gpus: int) -> float:
        """Bytes of pixels a second that each GPU is fed with."""
        step = self.computing(gpus) + self.sending(gpus)
        return self.plan.loop.batch / self.used(gpus) * PIXELS / step

    def hours(self, gpus: int) -> float:
        """Of the whole training."""
        return self.plan.loop.steps * (self.computing(gpus) + self.sending(gpus)) / 3600

    def binds(self, gpus: int) -> str:
        """What more of would help first, and how many GPUs the batch has work for."""
        what = "sending" if self.sending(gpus) > self.computing(gpus) else "computing"
        return what if self.used(gpus) == gpus else f"the batch: work for {self.used(gpus)}; then {what}"


def _backbone(net: str) -> nn.Module:
    """The convolutions of a classifier by torchvision's plan, of no weights; LPIPS and the maps end before the last."""
    built = {"alex": models.alexnet, "squeeze": models.squeezenet1_1, "vgg": models.vgg16}
    with torch.device("meta"):
        found: Any = built[net](weights=None) if net in built else None
        return found.features if found else nn.Sequential(*list(models.resnet50(weights=None).children())[:-2])


def cost(method: str, part: str) -> Cost:
    """Counted."""
    asked = _at_once(values(PRESET))
    plan = parts.plan(asked, method, part)
    plans, spec = parts.family(asked, plan), parts.spec(asked, plan)
    with torch.device("meta"):
        drawn = plan.build(dry_run.parents(plan, plans, spec), spec, Counting())
        with Operations() as operations:
            drawn.step(dry_run.empty(COUNTED, spec))
    return Cost(plan, operations.count / COUNTED, held(plan, plans, spec))


def _at_once(block: Any) -> Any:
    """The same, every discriminator beginning with the first step."""
    if not isinstance(block, dict):
        return block
    return {key: {**one, "start": 0} if key == "adversary" else _at_once(one) for key, one in block.items()}


def render() -> str:
    """The page."""
    asked = values(PRESET)
    costs = [cost(name, part) for name in asked["methods"] for part in parts.order(asked, name)]
    return "\n".join([ASSUMED, *_times(costs), "", *_network(costs), "", *_storage(asked, costs), ""])


def _times(costs: list[Cost]) -> Iterator[str]:
    yield from ("## Time", "")
    yield _line(
        "part", "parameters", "10^9 operations an image", "steps x batch", *(f"hours on {n}" for n in GPUS), BINDS
    )
    yield "|---|---:|---:|---:|" + "---:|" * len(GPUS) + "---|"
    for one in costs:
        loop = one.plan.loop
        counted = (f"{one.holds.gradients / 4e6:.1f} M", f"{one.operations / 1e9:,.0f}")
        yield _line(one.plan.title, *counted, f"{loop.steps:,} x {loop.batch}", *_hours([one]), one.binds(GPUS[-1]))
    for name, own in groupby(costs, lambda one: one.plan.method):
        yield _line(f"**{name}**", "", "", "", *_hours(list(own)), "")
    yield from (
        "",
        "A method's sum is of its parts one after the other; parts that do not need each other can go side by side.",
    )


def _hours(costs: list[Cost]) -> list[str]:
    return [f"{sum(one.hours(n) for one in costs):,.1f}" for n in GPUS]


def _network(costs: list[Cost]) -> Iterator[str]:
    yield from ("## Memory, network and reading, a GPU", "")
    yield _line("part", "GB held before an image", *(f"MB sent a step on {n}" for n in GPUS[1:]), *READ)
    yield "|---|---:|" + "---:|" * 2 * len(GPUS[1:])
    for one in costs:
        sent = [f"{one.sent(n) / 1e6:,.0f}" for n in GPUS[1:]]
        read = [f"{one.reads(n) / 1e6:,.1f}" for n in GPUS[1:]]
        yield _line(one.plan.title, f"{one.holds.total / 1e9:.1f}", *sent, *read)


def _storage(asked: Any, costs: list[Cost]) -> Iterator[str]:
    kept = sum(KEPT * (one.holds.total - one.holds.gradients) for one in costs)
    sets = [testsets.read(asked, name) for name, block in asked["testsets"].items() if block]
    drawn = sum((one.images or TESTED) * one.samples for one in sets)
    methods = len({one.plan.method for one in costs})
    yield from ("## Storage", "", "| what | GB |", "|---|---:|")
    yield _line(f"{IMAGES:,} images as pixels, read without decoding", f"{IMAGES * PIXELS / 1e9:,.0f}")
    yield _line(f"checkpoints of all parts while they learn, {KEPT} each", f"{kept / 1e9:,.0f}")
    yield _line("the released weights", f"{sum(one.holds.weights for one in costs) / 1e9:,.1f}")
    yield _line(f"samples of all test sets, {drawn:,} a method, as pixels", f"{methods * drawn * PIXELS / 1e9:,.0f}")


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(render())
    print(PAGE)
