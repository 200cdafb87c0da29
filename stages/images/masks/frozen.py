"""The masks of a dataset's split, drawn once and kept with a hash: known by their images' keys, never by position."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from stages.contract import UserError
from stages.images.masks.doubt import doubt
from stages.images.masks.generator import DeclaresRatios, MaskGenerator, Paired, generator_of, renamed
from stages.images.masks.source import Source
from stages.images.pixels import Bool, Uint8
from stages.project.files import visible, write_json
from stages.project.seeds import generator


@dataclass(frozen=True)
class MaskSet:
    """Frozen holes of one generator for a split's images. `hash` covers generator, size, keys and bits."""

    name: str
    generator: dict[str, Any]  # its block of params
    size: int
    hash: str
    rows: dict[str, int]
    bits: Uint8  # (N, ceil(size^2 / 8)), packed

    @classmethod
    def open(cls, folder: Path, name: str) -> "MaskSet":
        """The set that `freeze` left in `folder`; UserError where there is none or its files do not agree."""
        card_path = folder / f"{name}.json"
        if not card_path.is_file():
            there = ", ".join(path.stem for path in visible(folder, "*.json")) or "none"
            mend = "name it in a test set of params.yaml, run plurifill shard"
            raise UserError(f"{folder}: no mask set {name} (there: {there}); {mend}")
        try:
            card = renamed(json.loads(card_path.read_text()))
            with np.load(folder / f"{name}.npz") as arrays:
                keys, bits = arrays["keys"].tolist(), arrays["bits"]
        except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
            raise UserError(f"{folder}/{name}: damaged; run plurifill shard {folder.name} again") from error
        block = renamed(card["generator"])
        if _hash(block, card["size"], keys, bits) != card["hash"]:
            raise UserError(f"{folder}/{name}.npz: does not match its hash; run plurifill shard again")
        return cls(name, block, card["size"], card["hash"], {key: row for row, key in enumerate(keys)}, bits)

    def hole(self, key: str) -> Bool:
        """hole_HW (size, size) of the image with that key."""
        if key not in self.rows:
            raise UserError(f"mask set {self.name}: no mask for image {key}; run plurifill shard again")
        flat = np.unpackbits(self.bits[self.rows[key]], count=self.size**2)
        return flat.view(np.bool_).reshape(self.size, self.size)


def freeze(
    block: dict[str, Any],
    keys: Sequence[str],
    size: int,
    folder: Path,
    name: str,
    seed: int = 0,
    source: Source | None = None,
) -> list[str]:
    """Draw a hole for each key, from (seed, key) alone, into `folder`/`name`.npz and .json.

    Masks that belong to images need their `source`: they are found by its names, and resized and cropped as its images.

    The .json holds the hash, the generator, and the hole ratio's mean, median and extremes. Returns warnings about
    masks that came from files; what a generator draws is as it is.
    """
    chosen = generator_of(block, f"masks.{name}")
    bits = np.zeros((len(keys), (size**2 + 7) // 8), dtype=np.uint8)
    ratios, warnings = [], []
    for row, key in enumerate(keys):
        hole_HW, warning = _hole(chosen, key, size, seed, source)
        bits[row] = np.packbits(hole_HW)
        ratios.append(float(hole_HW.mean()))
        warnings += [f"mask set {name}, {key}: {warning}"] if warning else []
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / f"{name}.npz", keys=np.array(keys, dtype=np.str_), bits=bits)
    card = {"generator": block, "size": size, "seed": seed, "hash": _hash(block, size, keys, bits), **_spread(ratios)}
    write_json(folder / f"{name}.json", card)
    return warnings


def _hole(chosen: MaskGenerator, key: str, size: int, seed: int, source: Source | None) -> tuple[Bool, str | None]:
    """A key's hole_HW; a warning where it is of a file and looks wrong."""
    if not isinstance(chosen, Paired):
        return chosen.draw(generator(seed, key), size), None
    assert source, "a mask is paired by its image's name, which its source knows"
    mask = chosen.paired(source.name(key))
    hole_HW = source.fit(mask.hole_HW, key)
    declared = (chosen.low, chosen.high) if isinstance(chosen, DeclaresRatios) else ()
    return hole_HW, "; ".join(filter(None, (doubt(hole_HW, *declared), mask.remark))) or None


def _hash(block: dict[str, Any], size: int, keys: Sequence[str], bits: Uint8) -> str:
    """Over the block with its key as the first version had it, so that a set's hash outlives the key's new name."""
    stored = {"law" if name == "generator" else name: value for name, value in block.items()}
    text = json.dumps([stored, size, list(keys)], sort_keys=True).encode()
    return hashlib.sha256(text + bits.tobytes()).hexdigest()


def _spread(ratios: Sequence[float]) -> dict[str, Any]:
    if not ratios:
        return {"masks": 0}
    low, median, high = np.quantile(ratios, (0, 0.5, 1))
    figures = {"mean": np.mean(ratios), "median": median, "least": low, "most": high}
    return {"masks": len(ratios), "hole_ratio": {name: round(float(value), 4) for name, value in figures.items()}}
