"""Bits a structure code on the test split: `python -m tests.methods.dsi.bits`, on the trained parts of params.yaml.

The structure generator under its own masks, trained and untrained, beside the codes' frequencies over the training
split, overall and at each position: what a model that is told nothing of the image reaches.
"""

from __future__ import annotations

from typing import Any

import torch

from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.stream import FixedBatches
from stages.project import paths
from stages.project.params import read
from stages.project.releases import read_trained
from stages.project.seeds import seed_all
from stages.training import parts
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from stages.training.lenders import LENDERS
from tests.methods.small import figures_of


def main() -> None:
    """Count, load, evaluate, print."""
    plan = parts.plan(read(), "dsi", "prior")
    generator = masks.generator_of(plan.generator) if plan.generator else None
    seen, test = (Dataset.open(paths.shards(plan.dataset), split) for split in ("train", "test"))
    accelerator = TorchAccelerator(plan.title, plan.loop, torch.device("cpu"), Ranks(), *LENDERS)
    seed_all(plan.loop.seed, "build")
    part: Any = plan.build({"vq": read_trained(paths.model("dsi", "vq"))}, test.spec, accelerator)
    for batch in FixedBatches(seen, None, plan.loop.eval_batch, len(seen), plan.loop.seed):
        part.marginals.count(part.teacher.exact_codes(batch.image_BCHW).flatten(1))
    batches = FixedBatches(test, generator, plan.loop.eval_batch, len(test), plan.loop.seed)
    untrained = figures_of(part, batches)
    part.model.load_state_dict(dict(read_trained(paths.model("dsi", "prior")).tensors))
    print(f"{plan.title} on {len(test)} images of {test.name}/test, masks {plan.masks}")
    for name, value in figures_of(part, batches).items():
        print(f"{name:<24} {value:8.3f}   untrained {untrained[name]:8.3f}")


if __name__ == "__main__":
    main()
