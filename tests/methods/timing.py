"""The timing protocol of paper 003 for every method: `python -m tests.methods.timing [ENTRY ...]`, on trained parts.

200 test images, one completion each, one image a call, under irregular holes of 20-40 %, of 40-60 % and at random
(20-60 %, as in the paper's tables). The entries (default: every method whose parts are trained) take each image in
turn, after a call each that is not counted. Seconds are those of `plurifill sample`: what guides a method is made in
them. Prints a line an entry and hole: mean, median, images a second, seconds by phase.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from statistics import mean, median
from typing import Any

from stages.contract import Batch, Request, UserError
from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.stream import FixedBatches
from stages.project import devices, params, paths
from stages.project.entries import Entry
from stages.project.progress import tell
from stages.sampling import inpainters
from stages.sampling.sampler import TOTAL, Sampler

IMAGES = 200
HOLES = {"20-40": (0.2, 0.4), "40-60": (0.4, 0.6), "random": (0.2, 0.6)}

Times = dict[str, list[float]]


def timed(sampler: Sampler, batch: Batch) -> dict[str, float]:
    """One completion of one image: its seconds, the whole call's and its phases'."""
    maps_BHW = None if batch.labels_BHW is None else batch.labels_BHW.numpy().astype("uint8")
    request = Request(batch.image_BCHW, batch.known_B1HW, batch.seeds_B[:, None])
    _, cost = sampler(request, lambda classes: maps_BHW if classes else None)
    return dict(cost.seconds)


def measured(made: Mapping[str, Sampler], batches: list[Batch]) -> dict[str, Times]:
    """Every entry's seconds over the images, in turn."""
    taken: dict[str, Times] = {entry: defaultdict(list) for entry in made}
    for sampler in made.values():
        timed(sampler, batches[0])
    for batch in batches:
        for entry, sampler in made.items():
            for phase, seconds in timed(sampler, batch).items():
                taken[entry][phase].append(seconds)
    return taken


def trained(values: Mapping[str, Any]) -> list[str]:
    """The methods whose parts are there; of the others it is told what is missing."""
    found = []
    for method in values["methods"]:
        try:
            if not inpainters.is_external(method):
                inpainters.parents(method)
                found.append(method)
        except UserError as error:
            tell(f"{method} is left out: {error}")
    return found


def main(entries: list[str]) -> None:
    """Measure and print."""
    values, device = params.read(), devices.choose()
    test = Dataset.open(paths.shards(values["data"]["dataset"]), "test")
    named = {name: Entry.parse(name) for name in entries or trained(values)}
    made = {name: Sampler(partial(inpainters.load, values, entry, device), device) for name, entry in named.items()}
    for name, (low, high) in HOLES.items():
        generator = masks.generator_of({"generator": "bin", "low": low, "high": high})
        for entry, times in measured(made, list(FixedBatches(test, generator, 1, IMAGES, 0))).items():
            calls = times.pop(TOTAL)
            told = {"entry": entry, "holes": name, "n": len(calls), "size": test.spec.size, "device": device.type}
            figures = {"mean_s": mean(calls), "median_s": median(calls), "images_per_s": 1 / mean(calls)}
            print(json.dumps({**told, **figures, **{phase: mean(seconds) for phase, seconds in times.items()}}))


if __name__ == "__main__":
    main(sys.argv[1:])
