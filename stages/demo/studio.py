"""The trained methods behind the page: what can be drawn with, and drawing, one request after another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

import torch

from stages.contract import Inpainter, UserError
from stages.demo.asked import Asked, pair
from stages.images.pixels import Bool
from stages.project import paths
from stages.project.entries import Entry
from stages.project.params import validate
from stages.project.releases import read_config
from stages.project.seeds import several
from stages.sampling import inpainters
from stages.sampling.completion import Job, completions

LOADED = 4  # inpainters that stay in memory: those between which a person goes to and fro
PIXELS = 500_000  # of a picture for a method without a network of its own size: biharmonic needs seconds for that


class Studio:
    """Entries by name and their inpainters, each loaded when it is first asked for.

    A completion is a function of what is asked alone, so people who ask at once do not meet: they wait for each other.
    """

    def __init__(self, values: Mapping[str, Any], device: torch.device) -> None:
        self._values, self._device, self._turn = values, device, Lock()
        self._loaded = lru_cache(maxsize=LOADED)(self._load)

    def entries(self) -> list[dict[str, Any]]:
        """Every entry that completes pictures: its name, its temperature (None: it has none), why it cannot yet."""
        methods = [name for name in self._values["methods"] if not inpainters.is_external(name)]
        return [self._about(entry) for name in methods for entry in inpainters.entries(self._values, name)]

    def complete(self, asked: Asked) -> tuple[list[tuple[int, bytes]], list[str]]:
        """K completions, each with its seed, as PNGs whose known pixels are the picture's; and remarks."""
        original, mask, remarks = pair(asked)
        seeds = several(asked.seed, asked.nsampling)
        with self._turn:
            inpainter, size = self._loaded(asked.entry, asked.temperature)
            _refuse_large(asked.entry, mask.hole_HW, size)
            job = Job(inpainter, self._device, size, seeds, window=asked.window)
            drawn_KHWC = completions(job, original.image_HWC, mask.hole_HW).numpy()
        pictures = [original.completed(picture_HWC, mask.hole_HW) for picture_HWC in drawn_KHWC]
        return list(zip(seeds, pictures, strict=True)), remarks

    def _about(self, entry: Entry) -> dict[str, Any]:
        own = inpainters.params(self._values, entry)
        return {"entry": str(entry), "temperature": getattr(own, "temperature", None), "missing": _missing(entry)}

    def _load(self, name: str, temperature: float | None) -> tuple[Inpainter, int | None]:
        entry = Entry.parse(name)
        block = inpainters.block(self._values, entry)
        own = {} if temperature is None else {"temperature": temperature}
        params = validate(inpainters.module(entry.method).Params, {**block, **own}, f"methods.{entry.method}.inpaint")
        return inpainters.for_pictures(entry, params, inpainters.parents(entry.method), self._device)


def _missing(entry: Entry) -> str | None:
    """Why the entry cannot draw yet, told by its first part that is not trained."""
    try:
        for part in inpainters.module(entry.method).PARENTS:
            read_config(paths.model(entry.method, part))
    except UserError as error:
        return str(error)
    return None


def _refuse_large(entry: str, hole_HW: Bool, size: int | None) -> None:
    if size is None and hole_HW.size > PIXELS:
        told = f"{hole_HW.shape[1]} x {hole_HW.shape[0]} pixels, over {PIXELS} for a method that sees all of them"
        raise UserError(f"the picture: {told}; make it smaller, or choose another method than {entry}")
