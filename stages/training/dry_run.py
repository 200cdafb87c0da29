"""`--dry-run`: what a training would be, told on the meta device: shapes and counts without memory, data or weights."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from ruamel.yaml import YAML
from torch import Tensor, nn
from torch.optim import Optimizer

from stages.contract import Batch, Features, Part, Perceptual, SetDistance, Spec, Stateful, Trained
from stages.training.parts import Plan

DEPTH = 2  # submodules are listed so deep; numbered ones (layers of a stack) are counted with their stack


class DryAccelerator:
    """contract.Accelerator that computes nothing: shapes pass, no step is taken, every classifier is there."""

    def prepare(self, module: nn.Module) -> nn.Module:
        return module

    def autocast(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def minimize(self, loss: Tensor, optimizer: Optimizer) -> None:
        assert loss.ndim == 0, "a loss is one number"

    def perceptual(self, net: str) -> Perceptual | None:
        return lambda image_BCHW, other_BCHW: (image_BCHW - other_BCHW).flatten(1).mean(1)

    def features(self, net: str) -> Features | None:
        return lambda image_BCHW: [image_BCHW[..., ::step, ::step] for step in (2, 4, 8)]

    def frechet(self) -> SetDistance | None:
        return None


def describe(plan: Plan, plans: Mapping[str, Plan], spec: Spec) -> str:
    """The plan in words. `plans` holds the parents' plans too, by name: they are imagined untrained."""
    with torch.device("meta"):
        part = draft(plan, plans, spec)
        shapes = _shapes(part, batch(plan, spec))
    lines = [f"# {plan.title}", _yaml(plan), *_counts(part), "", "shapes of one step (micro-batch):", *shapes, ""]
    return "\n".join([*lines, *_work(plan, part)])


def draft(plan: Plan, plans: Mapping[str, Plan], spec: Spec) -> Part:
    """The part as it would be built, on the default device, after untrained parents."""
    return plan.build(parents(plan, plans, spec), spec, DryAccelerator())


def parents(plan: Plan, plans: Mapping[str, Plan], spec: Spec) -> dict[str, Trained]:
    """The part's parents as they would be released, untrained."""
    return {name: _imagined(plans[name], plans, spec) for name in plan.parents}


def _imagined(plan: Plan, plans: Mapping[str, Plan], spec: Spec) -> Trained:
    return Trained(plan.params.model_dump(mode="json"), spec, draft(plan, plans, spec).model.state_dict())


def batch(plan: Plan, spec: Spec) -> Batch:
    """A micro-batch of the right shapes and no content: zeros, all hole."""
    return empty(plan.loop.batch // plan.loop.accumulate, spec)


def empty(images: int, spec: Spec) -> Batch:
    """So many images of no content."""
    labels = torch.zeros(images, spec.size, spec.size, dtype=torch.long) if spec.classes else None
    known_B1HW = torch.zeros(images, 1, spec.size, spec.size)
    seeds_B = torch.arange(images, device="cpu")
    return Batch(
        torch.zeros(images, 3, spec.size, spec.size), known_B1HW, tuple(map(str, range(images))), seeds_B, labels
    )


def _yaml(plan: Plan) -> str:
    block = {
        **plan.params.model_dump(mode="json"),
        "dataset": plan.dataset,
        "masks": plan.masks,
        "loop": plan.loop.model_dump(mode="json"),
    }
    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(block, text)
    return text.getvalue()


def _modules(state: Mapping[str, Stateful]) -> Iterator[tuple[str, nn.Module]]:
    """The part's networks and their submodules down to DEPTH, by dotted name."""
    for root, value in state.items():
        if isinstance(value, nn.Module):
            for name, module in value.named_modules():
                words = name.split(".") if name else []
                if len(words) <= DEPTH and not any(word.isdigit() for word in words):
                    yield ".".join([root, *words]), module


def _counts(part: Part) -> list[str]:
    rows = [(name, sum(p.numel() for p in module.parameters())) for name, module in _modules(part.state())]
    return ["parameters:", *(f"  {name:<40} {count:>15,}" for name, count in rows if count)]


def _shapes(part: Part, batch: Batch) -> list[str]:
    """Inputs and outputs of each submodule in one step, in the order in which they are done."""
    seen: dict[str, str] = {}
    hooks = [
        module.register_forward_hook(lambda _, given, out, name=name: seen.setdefault(name, _flow(given, out)) and None)
        for name, module in _modules(part.state())
    ]
    try:
        part.step(batch)
    except RuntimeError as error:  # also what an operator raises that the meta device lacks
        if "meta" not in str(error):
            raise
        seen["..."] = "what follows depends on values, not on shapes alone"
    finally:
        for hook in hooks:
            hook.remove()
    return [f"  {name:<40} {flow}" for name, flow in seen.items()]


def _flow(given: Any, out: Any) -> str:
    return f"{_shape(given)} -> {_shape(out)}"


def _shape(value: Any) -> str:
    if isinstance(value, Tensor):
        return "x".join(map(str, value.shape)) or "1"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shape(item)}" for name, item in value.items())
    if isinstance(value, (tuple, list)):
        return ", ".join(_shape(item) for item in value if isinstance(item, (Tensor, tuple, list, Mapping)))
    return type(value).__name__


def _work(plan: Plan, part: Part) -> list[str]:
    loop = plan.loop
    weights = sum(p.numel() for _, module in _networks(part) for p in module.parameters())
    evaluations = 1 + (loop.steps - 1) // loop.eval_every if loop.eval_every else 1
    return [
        f"work: {loop.steps:,} steps x {loop.batch} images = {loop.steps * loop.batch:,} images of {plan.dataset},",
        f"  {1 + evaluations} evaluations on {loop.eval_images} val images, checkpoints every {loop.save_every} steps,",
        f"  {weights * 4 / 2**20:,.1f} MiB of weights in float32",
    ]


def _networks(part: Part) -> list[tuple[str, nn.Module]]:
    return [(name, value) for name, value in part.state().items() if isinstance(value, nn.Module)]
