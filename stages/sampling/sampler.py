"""Fills the store: one entry's samples of a test set, a piece at a time, from wherever an earlier run stopped."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from stages.contract import NO_CLASS, Completions, Guidance, Guided, Inpainter, Request, Transfers
from stages.images.pixels import Uint8, blank, to_float, to_uint8
from stages.project.entries import Entry
from stages.project.progress import tell
from stages.sampling import guidance, latents, side_pictures, store
from stages.sampling.energy import meter
from stages.sampling.inpainters import reads_hole
from stages.sampling.latents import Digests
from stages.sampling.testsets import TestSet

TOTAL = "total"  # the phase that is the whole call
PIECE = 64  # completions in a piece: what a killed run loses at most, and what one call draws at most
Item = TypeVar("Item")


@dataclass(frozen=True)
class Cost:
    """What a call took: seconds by phase and in total, the GPU's joules (None: its meter says why), if it warmed up."""

    seconds: Mapping[str, float]
    joules: float | None
    warm_up: bool


@dataclass(frozen=True)
class Drawn:
    """Completions of some images (B, K, H, W, 3), each image's side pictures by name, digests of their latents.

    No cost: nothing was computed.
    """

    raw_BKHWC: Uint8
    side: Sequence[Mapping[str, Tensor]]
    cost: Cost | None = None
    latents: Digests = field(default_factory=dict)


class Source(Protocol):
    """Where the completions of a test set's images come from: a sampler, or files made elsewhere."""

    @property
    def no_joules(self) -> str:
        """Why joules are not told; empty where they are."""
        ...

    @property
    def peak_memory_bytes(self) -> int: ...

    def draw(self, testset: TestSet, images: Sequence[int]) -> Drawn:
        """All completions of the images at these positions of the dataset."""
        ...


class Sampler:
    """An entry's inpainter, built when the first piece needs it, its calls measured; the first call is the warm-up."""

    def __init__(self, build: Callable[[], Inpainter], device: torch.device) -> None:
        self.build, self.device = build, device
        self.inpainter: Inpainter | None = None
        self.meter = meter(device)

    @property
    def no_joules(self) -> str:
        """Why joules are not told."""
        return self.meter.reason

    @property
    def peak_memory_bytes(self) -> int:
        """The device's highest allocation, or the process's highest resident size on a CPU."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def draw(self, testset: TestSet, images: Sequence[int]) -> Drawn:
        """Completions with the test set's seeds; side pictures of the images shown, transfers among these."""
        request = _request(testset, images)
        drawn, cost = self(request, lambda classes: testset.labels(images, classes))
        raw_RHWC = to_uint8(drawn.raw_BKCHW.flatten(0, 1)).numpy()
        raw_BKHWC = raw_RHWC.reshape(*drawn.raw_BKCHW.shape[:2], *raw_RHWC.shape[1:])
        side = [self._side(testset, request, drawn, b, i) for b, i in enumerate(images)]
        return Drawn(raw_BKHWC, side, cost, latents.digests(drawn))

    def __call__(self, request: Request, labels: Callable[[int], Uint8 | None]) -> tuple[Completions, Cost]:
        """Completions on the CPU, and what they cost. The hole is blanked here, at the door.

        `labels` gives the images' label maps (B, H, W) to an inpainter that so many classes guide.
        """
        warm_up = self.inpainter is None
        self.inpainter = self.inpainter or self.build()
        maps_BHW = labels(self.inpainter.classes) if isinstance(self.inpainter, Guided) else None
        image_BCHW = request.image_BCHW
        if not reads_hole(self.inpainter):
            image_BCHW = blank(image_BCHW, request.known_B1HW)
        moved = _moved(Request(image_BCHW, request.known_B1HW, request.seeds_BK), self.device)
        joules, begin = self.meter.read() if self.meter.read else None, time.perf_counter()
        with torch.inference_mode():
            guiding = self._guidance(request, maps_BHW)  # a person waits for it too
            drawn = self.inpainter.sample(replace(moved, guidance=guiding))
        raw_BKCHW = drawn.raw_BKCHW.cpu()  # waits for the device
        seconds = {TOTAL: time.perf_counter() - begin, **drawn.seconds}
        return Completions(raw_BKCHW, drawn.side, latents=drawn.latents), Cost(
            seconds, self.meter.since(joules), warm_up
        )

    def _guidance(self, request: Request, maps_BHW: Uint8 | None) -> Guidance | None:
        """What guides an inpainter that is Guided: made from what is known, but for the ablation that has the truth."""
        if not isinstance(self.inpainter, Guided):
            return None
        image_BCHW, known_B1HW = request.image_BCHW, request.known_B1HW
        labels_BHW = None if maps_BHW is None else torch.from_numpy(maps_BHW).long()
        if not self.inpainter.guided_by_truth:
            image_BCHW = blank(image_BCHW, known_B1HW)
            labels_BHW = None if labels_BHW is None else labels_BHW.where(known_B1HW[:, 0] > 0, NO_CLASS)
        labels_BHW = None if labels_BHW is None else labels_BHW.to(self.device)
        made = self.inpainter.guidance(image_BCHW.to(self.device), known_B1HW.to(self.device), labels_BHW)
        return guidance.moved(made, self.device) if made else None

    def _side(self, testset: TestSet, request: Request, drawn: Completions, b: int, image: int) -> Mapping[str, Tensor]:
        """What is kept beside an image's completions: nothing but for the images shown."""
        shown = testset.chosen[: side_pictures.SHOWN]
        if image not in shown:
            return {}
        target = shown[(shown.index(image) + 1) % len(shown)]
        return {name: picture[b] for name, picture in drawn.side.items()} | self._transfer(testset, request, b, target)

    def _transfer(self, testset: TestSet, request: Request, b: int, target: int) -> dict[str, Tensor]:
        """What a method that can transfer carries into the hole from another image shown, and that image; unguided."""
        if not isinstance(self.inpainter, Transfers):
            return {}
        target_BCHW = to_float(np.stack([testset.dataset.image(target)]))
        known_B1HW, seeds_BK = request.known_B1HW[b : b + 1], request.seeds_BK[b : b + 1, :1]
        image_BCHW = blank(request.image_BCHW[b : b + 1], known_B1HW)
        with torch.inference_mode():
            moved = _moved(Request(image_BCHW, known_B1HW, seeds_BK), self.device)
            raw_BKCHW = self.inpainter.transfer(moved, target_BCHW.to(self.device)).raw_BKCHW.cpu()
        filled_BCHW = torch.where(known_B1HW > 0, image_BCHW, raw_BKCHW[:, 0])
        return {"transfer": filled_BCHW[0], "transfer_target": target_BCHW[0]}


@dataclass(frozen=True)
class Work:
    """One entry on one test set, in progress in `place`; `batch` images at once (0: a whole piece)."""

    testset: TestSet
    entry: Entry
    source: Source
    place: Path
    batch: int = 0


def fill(work: Work, description: Mapping[str, Any]) -> None:
    """All pieces, those that are there and undamaged taken over; then the tables: a finished store in `work.place`."""
    images, samples = work.testset.chosen, work.testset.params.samples
    store.clear_halves(work.place)
    records, made = [], 0
    for number, piece in enumerate(chunks(images, max(1, PIECE // samples))):
        record = store.read_piece(work.place, number)
        if record is None:
            record = _make(work, number, piece)
            made += len(record.entries)
        records.append(record)
        tell(
            f"{work.entry} {work.testset.name}: {sum(len(r.entries) for r in records)}/{len(images) * samples} samples"
        )
    reused = len(images) * samples - made
    if reused:
        tell(f"{work.entry} {work.testset.name}: {reused} samples taken over from an earlier run")
    if made or not _stands(work.place, description):
        peak = max(record.peak_memory_bytes for record in records)
        told = {"peak_memory_bytes": peak, "reused": reused, "made": made, "no_joules": work.source.no_joules}
        before = latents.whole([record.latents for record in records])
        store.finish(work.place, records, {**description, **told, **({"latents": before} if before else {})})


def _stands(place: Path, description: Mapping[str, Any]) -> bool:
    """Whether a finished store of this very configuration lies there: where nothing is made, not a byte changes."""
    fingerprint = description.get("fingerprint")
    return store.is_finished(place) and store.describe(place).get("fingerprint") == fingerprint


def _make(work: Work, number: int, piece: Sequence[int]) -> store.Record:
    pictures: list[tuple[store.Completion, bytes]] = []
    latency: list[dict[str, Any]] = []
    before: list[Digests] = []
    for images in chunks(piece, work.batch or len(piece)):
        drawn, holes = work.source.draw(work.testset, images), _hole_ratios(work.testset, images)
        pictures += _completions(work.testset, images, holes, drawn)
        if drawn.cost:
            latency += _latency(work.testset, images, holes, drawn.cost)
        before.append(drawn.latents)
        _keep_side_pictures(work, images, drawn)
    peak = work.source.peak_memory_bytes
    return store.write_piece(work.place, number, pictures, latency, peak, latents.joined(before))


def _request(testset: TestSet, images: Sequence[int]) -> Request:
    """The images, not blanked yet, with the seeds of their completions."""
    keys = [testset.dataset.keys[i] for i in images]
    known_B1HW = torch.from_numpy(~np.stack([testset.masks.hole(key) for key in keys]))[:, None].float()
    image_BCHW = to_float(np.stack([testset.dataset.image(i) for i in images]))
    return Request(image_BCHW, known_B1HW, torch.tensor([testset.seeds(key) for key in keys], dtype=torch.int64))


def _moved(request: Request, device: torch.device) -> Request:
    """The request on `device`, not guided yet."""
    return Request(request.image_BCHW.to(device), request.known_B1HW.to(device), request.seeds_BK.to(device))


def _hole_ratios(testset: TestSet, images: Sequence[int]) -> list[float]:
    holes = np.stack([testset.masks.hole(testset.dataset.keys[i]) for i in images])
    return holes.mean(axis=(1, 2)).tolist()


def _completions(
    testset: TestSet, images: Sequence[int], holes: Sequence[float], drawn: Drawn
) -> Iterator[tuple[store.Completion, bytes]]:
    for i, hole, raw_KHWC in zip(images, holes, drawn.raw_BKHWC, strict=True):
        key, source = testset.dataset.keys[i], testset.dataset.sources[i]
        for k, (seed, raw_HWC) in enumerate(zip(testset.seeds(key), raw_KHWC, strict=True)):
            data, sha256 = store.encode(raw_HWC)
            yield store.Completion(key, source, k, seed, sha256, hole), data


def _latency(testset: TestSet, images: Sequence[int], holes: Sequence[float], cost: Cost) -> list[dict[str, Any]]:
    """One row an image and phase: the call's seconds, and in total its joules, shared out over its images."""
    call = {"batch": len(images), "samples": testset.params.samples, "warm_up": cost.warm_up}
    keyed = [{"key": testset.dataset.keys[i], "hole": hole} for i, hole in zip(images, holes, strict=True)]
    timed = [{"phase": phase, "seconds": value / len(images)} for phase, value in cost.seconds.items()]
    if cost.joules is not None:
        timed = [row | ({"joules": cost.joules / len(images)} if row["phase"] == TOTAL else {}) for row in timed]
    return [{**image, **call, **phase} for image in keyed for phase in timed]


def _keep_side_pictures(work: Work, images: Sequence[int], drawn: Drawn) -> None:
    for i, pictures in zip(images, drawn.side, strict=True):
        side_pictures.keep(work.place / "side" / work.testset.dataset.keys[i], pictures)


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))
