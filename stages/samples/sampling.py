"""Fills the store: one row's completions of one draw, a piece at a time, from wherever an earlier run stopped."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from stages.contract import Completions, Inpainter, Request, Transfers, peeks
from stages.engine.progress import tell
from stages.images.pixels import Uint8, blank, to_float, to_uint8
from stages.samples import side, store
from stages.samples.draws import Opened, sample_seed
from stages.samples.energy import meter

TOTAL = "total"  # the phase that is the whole call
PIECE = 64  # completions in a piece: what a killed run loses at most, and what one call draws at most
Item = TypeVar("Item")


@dataclass(frozen=True)
class Cost:
    """What a call took: seconds by phase and in total, the GPU's joules (None: its meter says why), if it warmed up."""

    seconds: Mapping[str, float]
    joules: float | None
    warm_up: bool


class Sampler:
    """A row's inpainter, built when the first piece needs it, its calls measured; the first call is the warm-up."""

    def __init__(self, build: Callable[[], Inpainter], device: torch.device, batch: int) -> None:
        self.build, self.device, self.batch = build, device, batch
        self.inpainter: Inpainter | None = None
        self.meter = meter(device)

    def __call__(self, request: Request) -> tuple[Completions, Cost]:
        """Completions on the CPU, and what they cost."""
        warm_up = self.inpainter is None
        self.inpainter = self.inpainter or self.build()
        image_BCHW = request.image_BCHW if peeks(self.inpainter) else blank(request.image_BCHW, request.known_B1HW)
        known_B1HW, seeds_BK = request.known_B1HW.to(self.device), request.seeds_BK.to(self.device)
        moved = Request(image_BCHW.to(self.device), known_B1HW, seeds_BK, request.made_BKCHW)
        joules, begin = self.meter.read() if self.meter.read else None, time.perf_counter()
        with torch.inference_mode():
            drawn = self.inpainter.sample(moved)
        raw_BKCHW = drawn.raw_BKCHW.cpu()  # waits for the device
        seconds = {TOTAL: time.perf_counter() - begin, **drawn.seconds}
        return Completions(raw_BKCHW, drawn.side), Cost(seconds, self.meter.since(joules), warm_up)


@dataclass(frozen=True)
class Work:
    """One row on one draw, in progress in `place`. `made`: a key's completions (K, H, W, 3) that exist already."""

    opened: Opened
    row: str
    sampler: Sampler
    place: Path
    made: Callable[[str], Uint8] | None = None


def fill(work: Work, description: Mapping[str, Any]) -> None:
    """All pieces, those that are there and undamaged taken over; then the tables: a finished draw in `work.place`."""
    images, samples = work.opened.chosen, work.opened.draw.samples
    store.clear_halves(work.place)
    records, made = [], 0
    for number, piece in enumerate(chunks(images, max(1, PIECE // samples))):
        record = store.read_piece(work.place, number)
        if record is None:
            record = _make(work, number, piece)
            made += len(record.entries)
        records.append(record)
        tell(f"{work.row} {work.opened.name}: {sum(len(r.entries) for r in records)}/{len(images) * samples} samples")
    reused = len(images) * samples - made
    if reused:
        tell(f"{work.row} {work.opened.name}: {reused} samples taken over from an earlier run")
    peak = max(record.peak_memory_bytes for record in records)
    told = {"peak_memory_bytes": peak, "reused": reused, "made": made, "no_joules": work.sampler.meter.reason}
    store.finish(work.place, records, {**description, **told})


def _make(work: Work, number: int, piece: Sequence[int]) -> store.Record:
    pictures: list[tuple[store.Entry, bytes]] = []
    latency: list[dict[str, Any]] = []
    for images in chunks(piece, work.sampler.batch or len(piece)):
        request, holes = _request(work, images)
        drawn, cost = work.sampler(request)
        pictures += _entries(work.opened, images, holes, request, drawn)
        if not work.made:  # nothing was computed here
            latency += _latency(work.opened, images, holes, cost)
        _keep_side_pictures(work, images, request, drawn)
    return store.write_piece(work.place, number, pictures, latency, peak_memory(work.sampler.device))


def _request(work: Work, images: Sequence[int]) -> tuple[Request, list[float]]:
    """The images, not blanked yet, with the seeds of their completions; and the holes' shares."""
    opened = work.opened
    keys = [opened.dataset.keys[i] for i in images]
    hole_BHW = np.stack([opened.masks.hole(key) for key in keys])
    known_B1HW = torch.from_numpy(~hole_BHW)[:, None].float()
    image_BCHW = to_float(np.stack([opened.dataset.image(i) for i in images]))
    seeds = [[sample_seed(opened.draw.seed, key, k) for k in range(opened.draw.samples)] for key in keys]
    made_BKCHW = torch.stack([to_float(work.made(key)) for key in keys]) if work.made else None
    request = Request(image_BCHW, known_B1HW, torch.tensor(seeds, dtype=torch.int64), made_BKCHW)
    return request, hole_BHW.mean(axis=(1, 2)).tolist()


def _entries(
    opened: Opened, images: Sequence[int], holes: Sequence[float], request: Request, drawn: Completions
) -> Iterator[tuple[store.Entry, bytes]]:
    for b, i in enumerate(images):
        raw_KHWC = to_uint8(drawn.raw_BKCHW[b]).numpy()
        for k, raw_HWC in enumerate(raw_KHWC):
            data, sha256 = store.encode(raw_HWC)
            seed = int(request.seeds_BK[b, k])
            yield store.Entry(opened.dataset.keys[i], opened.dataset.sources[i], k, seed, sha256, holes[b]), data


def _latency(opened: Opened, images: Sequence[int], holes: Sequence[float], cost: Cost) -> list[dict[str, Any]]:
    """One row an image and phase: the call's seconds, and in total its joules, shared out over its images."""
    call = {"batch": len(images), "samples": opened.draw.samples, "warm_up": cost.warm_up}
    keyed = [{"key": opened.dataset.keys[i], "hole": hole} for i, hole in zip(images, holes, strict=True)]
    timed = [{"phase": phase, "seconds": value / len(images)} for phase, value in cost.seconds.items()]
    if cost.joules is not None:
        timed = [row | ({"joules": cost.joules / len(images)} if row["phase"] == TOTAL else {}) for row in timed]
    return [{**image, **call, **phase} for image in keyed for phase in timed]


def _keep_side_pictures(work: Work, images: Sequence[int], request: Request, drawn: Completions) -> None:
    shown = list(work.opened.chosen[: side.SHOWN])
    for b, i in enumerate(images):
        if i in shown:
            target = shown[(shown.index(i) + 1) % len(shown)]
            pictures = {name: picture[b] for name, picture in drawn.side.items()} | _carried(work, request, b, target)
            side.keep(work.place / "side" / work.opened.dataset.keys[i], pictures)


def _carried(work: Work, request: Request, b: int, target: int) -> dict[str, Tensor]:
    """What a method that can transfer carries over into the hole from the next image shown, and that image."""
    inpainter, device = work.sampler.inpainter, work.sampler.device
    if not isinstance(inpainter, Transfers):
        return {}
    target_BCHW = to_float(np.stack([work.opened.dataset.image(target)]))
    known_B1HW, seeds_BK = request.known_B1HW[b : b + 1], request.seeds_BK[b : b + 1, :1]
    image_BCHW = blank(request.image_BCHW[b : b + 1], known_B1HW)
    with torch.inference_mode():
        moved = Request(image_BCHW.to(device), known_B1HW.to(device), seeds_BK.to(device))
        raw_BKCHW = inpainter.transfer(moved, target_BCHW.to(device)).raw_BKCHW.cpu()
    return {"transfer": torch.where(known_B1HW > 0, image_BCHW, raw_BKCHW[:, 0])[0], "transfer_target": target_BCHW[0]}


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def peak_memory(device: torch.device) -> int:
    """Bytes: the device's highest allocation, or the process's highest resident size on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
