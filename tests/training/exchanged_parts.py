"""Parts of one network and one optimiser, learning on two ranks by every exchange; rank 0 leaves what they learnt.

`torchrun --nproc-per-node 2 -m tests.training.exchanged_parts FOLDER`, in the project's root.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from ruamel.yaml import YAML
from torch import Tensor

from stages.cli import preset
from stages.contract import Batch
from stages.project.seeds import derive, seed_all
from stages.tracking.store import TrackParams
from stages.tracking.training import About, Tracker
from stages.training import dry_run, parts
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks, joined
from stages.training.lenders import LENDERS
from stages.training.loop import Run, train
from tests.training.exchanges import WAYS
from tests.training.toys import CPU

TITLES = {
    **dict.fromkeys(("latent_codes/encoder", "latent_codes/prior", "dsi/vq", "dsi/prior"), WAYS),
    "flow_fill/prior": ("averaged", "ddp"),  # it writes its scale by the first batch, which suits no shares
}
LOOP = {"steps": 3, "batch": 4, "accumulate": 1, "eval_every": 0, "save_every": 3, "amp": "off"}


def learnt(title: str, way: str, ranks: Ranks, folder: Path) -> dict[str, Tensor]:
    """The weights after a few steps of preset tiny on noise."""
    values = YAML(typ="safe").load(preset.render("tiny"))
    plan = parts.plan(values, *title.split("/"))
    plan = replace(plan, loop=plan.loop.model_copy(update={**LOOP, "parallel": way}))
    spec = parts.spec(values, plan)

    def feed(k: int, rank: int, world: int) -> Batch:
        draw = torch.Generator().manual_seed(derive(0, k))
        whole, share = dry_run.empty(4, spec), slice(rank * 4 // world, (rank + 1) * 4 // world)
        image_BCHW = torch.rand(whole.image_BCHW.shape, generator=draw) * 2 - 1
        known_B1HW = (torch.arange(spec.size) < spec.size // 2).float().expand_as(whole.known_B1HW)
        return Batch(image_BCHW[share], known_B1HW[share], whole.keys[share], whole.seeds_B[share])

    seed_all(0, "build")
    accelerator = TorchAccelerator(title, plan.loop, CPU, ranks, *LENDERS)
    part = plan.build(dry_run.parents(plan, parts.family(values, plan), spec), spec, accelerator)
    tracker = Tracker(TrackParams(backend="none"), About(title, {}, {}, folder))
    return train(Run(part, accelerator, feed, [feed(99, 0, 1)], folder, tracker)).tensors()


def main(folder: Path) -> None:
    """Every part by every exchange."""
    with joined(CPU) as ranks:
        for title, ways in TITLES.items():
            found = {way: learnt(title, way, ranks, folder / title / way) for way in ways}
            if ranks.leads:
                torch.save(found, folder / f"{title.replace('/', '-')}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
