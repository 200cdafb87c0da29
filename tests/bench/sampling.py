"""Sampling beside the other methods that learn, in one run: whole completions, at the sizes of params.yaml.

The networks are untrained, for speed does not hang on weights. The peer is the other method, ours is flow_fill.
"""

import time
from statistics import median
from typing import Any

import torch

from stages.contract import Inpainter, Request, Spec, Trained
from stages.project.entries import Entry
from stages.project.params import read
from stages.sampling import inpainters
from stages.training import dry_run, parts

OURS, SIZE, IMAGES, SAMPLES = "flow_fill", 64, 4, 8
CLAIMS = {"dsi": " (paper 003, Sec. 4.2: 87x autoregressive models', at 256 px, each pass whole)"}


def untrained(values: dict[str, Any], method: str) -> Inpainter:
    """The method's inpainter over networks as they begin."""
    torch.manual_seed(0)
    plans = {part: parts.plan(values, method, part) for part in parts.order(values, method)}
    spec = Spec(SIZE)
    tensors = {part: dry_run.draft(plan, plans, spec).model.state_dict() for part, plan in plans.items()}
    module, own = inpainters.module(method), inpainters.params(values, Entry(method))
    trained = {part: Trained(plans[part].params.model_dump(mode="json"), spec, tensors[part]) for part in plans}
    return module.build(own, {part: trained[part] for part in module.PARENTS}, torch.device("cpu"))


def request() -> Request:
    """Images under the 80 % box, and their seeds."""
    known_B1HW = torch.ones(IMAGES, 1, SIZE, SIZE)
    border = SIZE // 10
    known_B1HW[..., border:-border, border:-border] = 0
    image_BCHW = torch.rand(IMAGES, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Request(image_BCHW * known_B1HW, known_B1HW, torch.arange(IMAGES * SAMPLES).view(IMAGES, SAMPLES))


def rows(rounds: int = 3) -> list[tuple[str, float, float]]:
    """(name with both rates, the other method's seconds, our seconds), in turn, the median of rounds."""
    values, asked, total = read(), request(), IMAGES * SAMPLES
    methods = [name for name in values["methods"] if parts.order(values, name)]
    made = {name: untrained(values, name) for name in methods}
    taken: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, inpainter in made.items():
            start = time.perf_counter()
            assert inpainter.sample(asked).raw_BKCHW.shape == (IMAGES, SAMPLES, 3, SIZE, SIZE)
            taken[name].append(time.perf_counter() - start)
    seconds = {name: median(times) for name, times in taken.items()}
    own = seconds.pop(OURS)
    return [(_told(name, total / other, total / own), other, own) for name, other in seconds.items()]


def _told(name: str, theirs: float, own: float) -> str:
    return f"images/s: {name} {theirs:.1f}, {OURS} {own:.1f}{CLAIMS.get(name, '')}"
