"""A dataset's test masks, drawn once and kept with a hash: paired to images by key, never by position."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.contract import UserError
from stages.images.masks.doubt import doubt
from stages.images.masks.files import Files
from stages.images.masks.laws import law
from stages.images.pixels import Bool, Uint8
from stages.images.seeds import generator


@dataclass(frozen=True)
class MaskSet:
    """Frozen holes of one law for one dataset's test images. `hash` covers law, size, keys and bits."""

    name: str
    law: dict[str, Any]
    size: int
    hash: str
    rows: dict[str, int]
    bits: Uint8  # (N, ceil(size^2 / 8)), packed

    @classmethod
    def open(cls, folder: Path, name: str) -> "MaskSet":
        """The set that `freeze` left in `folder`; UserError where there is none or its files do not agree."""
        card_path = folder / f"{name}.json"
        if not card_path.is_file():
            there = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
            raise UserError(
                f"{folder}: no mask set {name} (there: {there}); name it in params.yaml, run plurifill shard"
            )
        card = json.loads(card_path.read_text())
        with np.load(folder / f"{name}.npz") as arrays:
            keys, bits = arrays["keys"].tolist(), arrays["bits"]
        if _hash(card["law"], card["size"], keys, bits) != card["hash"]:
            raise UserError(f"{folder}/{name}.npz: does not match its hash; run plurifill shard again")
        return cls(name, card["law"], card["size"], card["hash"], {key: row for row, key in enumerate(keys)}, bits)

    def hole(self, key: str) -> Bool:
        """hole_HW (size, size) of the image with that key."""
        if key not in self.rows:
            raise UserError(f"mask set {self.name}: no mask for image {key}; masks are frozen for test images")
        flat = np.unpackbits(self.bits[self.rows[key]], count=self.size**2)
        return flat.view(np.bool_).reshape(self.size, self.size)


def freeze(block: dict[str, Any], keys: Sequence[str], size: int, folder: Path, name: str, seed: int = 0) -> list[str]:
    """Draw a hole for each key, from (seed, key) alone, into `folder`/`name`.npz and .json.

    The .json holds the hash, the law, and the hole ratio's mean, median and extremes. Returns warnings about masks that
    came from files; what a law draws is as the law is.
    """
    chosen = law(block)
    packed, ratios, warnings = [], [], []
    for key in keys:
        if isinstance(chosen, Files):
            hole_HW = chosen.paired(key, size)
            warning = doubt(hole_HW, chosen.low, chosen.high)
            warnings += [f"mask set {name}, {key}: {warning}"] if warning else []
        else:
            hole_HW = chosen.draw(generator(seed, key), size)
        packed.append(np.packbits(hole_HW))
        ratios.append(float(hole_HW.mean()))
    bits = np.stack(packed) if packed else np.zeros((0, (size**2 + 7) // 8), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / f"{name}.npz", keys=np.array(keys, dtype=np.str_), bits=bits)
    card = {"law": block, "size": size, "seed": seed, "hash": _hash(block, size, keys, bits), **_spread(ratios)}
    (folder / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n")
    return warnings


def _hash(block: dict[str, Any], size: int, keys: Sequence[str], bits: Uint8) -> str:
    told = json.dumps([block, size, list(keys)], sort_keys=True).encode()
    return hashlib.sha256(told + bits.tobytes()).hexdigest()


def _spread(ratios: Sequence[float]) -> dict[str, Any]:
    if not ratios:
        return {"masks": 0}
    low, median, high = np.quantile(ratios, (0, 0.5, 1))
    figures = {"mean": np.mean(ratios), "median": median, "least": low, "most": high}
    return {"masks": len(ratios), "hole_ratio": {name: round(float(value), 4) for name, value in figures.items()}}
