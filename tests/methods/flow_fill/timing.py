"""The timing protocol of paper 003: `python -m tests.methods.flow_fill.timing [ROW ...]`, on trained parts.

200 test images, one completion each, one image a call, under irregular holes of 20-40 %, of 40-60 % and at random
(20-60 %, as in the paper's tables). The entries (default: flow_fill and latent_codes) take each image in turn, after a
call each that is not counted. Prints a line an entry and hole: mean, median, images a second, seconds by phase.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from statistics import mean, median

import torch

from stages.contract import Batch, Inpainter, Request
from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.pixels import blank
from stages.images.stream import fixed
from stages.project import devices, params, paths
from stages.project.entries import Entry
from stages.sampling import inpainters

IMAGES = 200
HOLES = {"20-40": (0.2, 0.4), "40-60": (0.4, 0.6), "random": (0.2, 0.6)}
ENTRIES = ("flow_fill", "latent_codes")

Times = dict[str, list[float]]


def timed(inpainter: Inpainter, batch: Batch, device: torch.device, times: Times) -> None:
    """One completion of one image, its seconds added: the whole call's, and its phases'."""
    known_B1HW, seeds_BK = batch.known_B1HW.to(device), batch.seeds_B[:, None].to(device)
    request = Request(blank(batch.image_BCHW.to(device), known_B1HW), known_B1HW, seeds_BK)
    start = time.perf_counter()
    done = inpainter.sample(request)
    done.raw_BKCHW.cpu()  # the device's work included
    times["call"].append(time.perf_counter() - start)
    for phase, seconds in done.seconds.items():
        times[phase].append(seconds)


def measured(made: dict[str, Inpainter], batches: list[Batch], device: torch.device) -> dict[str, Times]:
    """Every entry's seconds over the images, in turn."""
    taken: dict[str, Times] = {entry: defaultdict(list) for entry in made}
    for inpainter in made.values():
        timed(inpainter, batches[0], device, defaultdict(list))
    for batch in batches:
        for entry, inpainter in made.items():
            timed(inpainter, batch, device, taken[entry])
    return taken


def main(entries: list[str]) -> None:
    """Measure and print."""
    values, device = params.read(), devices.choose()
    test = Dataset.open(paths.shards(values["data"]["dataset"]), "test")
    made = {name: inpainters.load(values, Entry.parse(name), device) for name in entries or ENTRIES}
    for name, (low, high) in HOLES.items():
        generator = masks.generator_of({"generator": "bin", "low": low, "high": high})
        for entry, times in measured(made, fixed(test, generator, 1, IMAGES, 0), device).items():
            calls = times.pop("call")
            told = {"entry": entry, "holes": name, "n": len(calls), "size": test.spec.size, "device": device.type}
            figures = {"mean_s": mean(calls), "median_s": median(calls), "images_per_s": 1 / mean(calls)}
            print(json.dumps({**told, **figures, **{phase: mean(seconds) for phase, seconds in times.items()}}))


if __name__ == "__main__":
    main(sys.argv[1:])
