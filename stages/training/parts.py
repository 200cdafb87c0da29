"""A method's parts by name (`stages.methods.<method>.<part>`, no registry): modules, order, validated blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from stages.contract import Accelerator, Params, Part, PartModule, Spec, Trained, UserError
from stages.images.layouts import classes, dataset_params
from stages.project import plugins
from stages.project.params import dig, method_block, validate
from stages.training.loop_params import LoopParams

OURS = ("loop", "dataset", "masks")  # keys of a part's block that are not the part's own


@dataclass(frozen=True)
class Plan:
    """One part as params.yaml asks for it, validated; nothing is read or allocated yet."""

    method: str
    name: str
    module: PartModule
    params: Params
    loop: LoopParams
    dataset: str
    masks: str | None  # the generator's name in the top-level `masks` block; None: whole images
    generator: Mapping[str, Any] | None

    @property
    def title(self) -> str:
        """method/part, as everywhere."""
        return f"{self.method}/{self.name}"

    @property
    def parents(self) -> tuple[str, ...]:
        """The parts whose results this one reads."""
        return self.module.PARENTS

    @property
    def choices(self) -> tuple[str, ...]:
        """What the paper leaves open and the part settles, in words for its card."""
        return getattr(self.module, "CHOICES", ())

    def build(self, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator) -> Part:
        """The part, ready to learn."""
        return self.module.build(self.params, parents, spec, accelerator)


def order(values: Mapping[str, Any], method: str) -> list[str]:
    """The method's trainable parts that params.yaml names, parents first; none for a method that learns nothing."""
    names = [key for key in dig(values, f"methods.{method}") if _module(method, key)]
    parents = {name: part_module(method, name).PARENTS for name in names}
    return list(TopologicalSorter(parents).static_order())


def part_module(method: str, part: str) -> PartModule:
    """`stages.methods.<method>.<part>`; UserError where that is not a trainable part."""
    found = _module(method, part)
    if found is None:
        raise UserError(f"{method} {part}: no such part: there is no stages/methods/{method}/{part}.py that trains")
    return found


def _module(method: str, part: str) -> PartModule | None:
    module = plugins.find(f"stages.methods.{method}", part) if method.isidentifier() else None
    return module if hasattr(module, "build") and hasattr(module, "restore") else None


def plan(values: Mapping[str, Any], method: str, part: str, dataset: str | None = None) -> Plan:
    """The part's block, resolved: its own keys, the method's shared ones, the loop, the dataset, the mask generator.

    `dataset` goes before the block's own `dataset`, which goes before the global `data.dataset`.
    """
    where = f"methods.{method}.{part}"
    dig(values, where)
    module = part_module(method, part)
    block = method_block(values, method, part, module.SHARED)
    loop, own, masks = (block.pop(key, None) for key in OURS)
    name = dataset or own or dig(values, "data.dataset")
    dig(values, f"datasets.{name}")
    return Plan(
        method,
        part,
        module,
        validate(module.Params, block, where),
        validate(LoopParams, loop or {}, f"{where}.loop"),
        name,
        masks,
        dig(values, f"masks.{masks}") if masks else None,  # null: whole images, as `masks: none` says
    )


def family(values: Mapping[str, Any], child: Plan, dataset: str | None = None) -> dict[str, Plan]:
    """Plans of the part's parents and of theirs, by name; `dataset` as in `plan`."""
    found: dict[str, Plan] = {}
    waiting = list(child.parents)
    while waiting:
        name = waiting.pop()
        found[name] = plan(values, child.method, name, dataset)
        waiting += found[name].parents
    return found


def spec(values: Mapping[str, Any], plan: Plan) -> Spec:
    """What the part's dataset would tell its network, by params alone."""
    data = dataset_params(values, plan.dataset)
    return Spec(data.size, classes(data))
