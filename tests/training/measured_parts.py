"""What every method's parts measure of val, by one process and by two ranks; rank 0 leaves both.

`python -m tests.training.measured_parts FOLDER` is one of the pair.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from ruamel.yaml import YAML

from stages.cli import preset
from stages.contract import Batch, Part, Spec
from stages.project.seeds import derive, seed_all
from stages.training import dry_run, parts
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks, joined
from stages.training.lenders import LENDERS
from stages.training.measuring import measured
from stages.training.parts import Plan
from tests.training.toys import CPU, Plain, bench, loop

BATCHES = (4, 4, 2)  # images of each: in the end a rank has nothing to do


@dataclass(frozen=True)
class Blocks:
    """Val batches: coloured blocks, and holes of unlike widths; `asked` is which of them were."""

    spec: Spec
    asked: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(BATCHES)

    def __getitem__(self, k: int) -> Batch:
        self.asked.append(k)
        return _batch(k, BATCHES[k], self.spec)


def _batch(k: int, images: int, spec: Spec) -> Batch:
    draw, empty = torch.Generator().manual_seed(derive(0, k)), dry_run.empty(images, spec)
    coarse_BChw = torch.rand(images, 3, 4, 4, generator=draw) * 2 - 1
    image_BCHW = torch.nn.functional.interpolate(coarse_BChw, spec.size)
    width_B111 = torch.randint(spec.size // 4, spec.size, (images, 1, 1, 1), generator=draw)
    known_B1HW = (torch.arange(spec.size) >= width_B111).float().expand_as(empty.known_B1HW).contiguous()
    keys = tuple(f"{k}-{key}" for key in empty.keys)
    return Batch(image_BCHW, known_B1HW, keys, empty.seeds_B + 100 * k, empty.labels_BHW)


def as_it_is(batch: Batch) -> Batch:
    return batch


@torch.no_grad()
def told(part: Part, spec: Spec, ranks: Ranks) -> dict[str, Any]:
    """Its figures by one process and by all ranks, as this rank knows them, and which batches it measured for these."""
    one, shared = Blocks(spec), Blocks(spec)
    alone, together = (measured(part, val, as_it_is, 0, who) for val, who in ((one, Ranks()), (shared, ranks)))
    return {"one": part.figures(alone), "two": part.figures(together) if ranks.leads else {}, "asked": shared.asked}


def built(plan: Plan, values: dict[str, Any], ranks: Ranks) -> tuple[Part, Spec]:
    """The part, untrained."""
    spec = parts.spec(values, plan)
    seed_all(0, "build")
    accelerator = TorchAccelerator(plan.title, plan.loop, CPU, ranks, *LENDERS)
    part = plan.build(dry_run.parents(plan, parts.family(values, plan), spec), spec, accelerator)
    part.model.eval()
    return part, spec


def tiny() -> tuple[dict[str, Any], list[Plan]]:
    """Preset tiny, and every part of it."""
    values = YAML(typ="safe").load(preset.render("tiny"))
    return values, [
        parts.plan(values, method, name) for method in values["methods"] for name in parts.order(values, method)
    ]


def main(folder: Path) -> None:
    """Every part of preset tiny, and one that draws from torch's own generator as it measures."""
    values, plans = tiny()
    with joined(CPU) as ranks:
        found = {plan.title: told(*built(plan, values, ranks), ranks) for plan in plans}
        found["noisy"] = told(Plain(bench(loop(), ranks), noise=0.5), Spec(8), ranks)
        if ranks.leads:
            torch.save(found, folder / "figures.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
