"""CelebA-HQ with the face parts of CelebAMask-HQ: its 18 parts and background merged to 15 classes."""

from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.files import read_hole
from stages.images.layouts import celeba_hq
from stages.images.listing import image_files
from stages.images.pixels import Uint8
from stages.images.sources.item import Item
from stages.images.sources.root import root_of

CLASSES = 15
PARTS = "CelebAMask-HQ-mask-anno"

# part -> class, in painting order (later parts cover earlier ones). Left and right, upper and lower are merged, since
# a flip would swap them: 15 classes with the background, as in MMT and paper 002
CLASS_OF_PART = {
    "skin": 1, "nose": 2, "eye_g": 3, "l_eye": 4, "r_eye": 4, "l_brow": 5, "r_brow": 5, "l_ear": 6, "r_ear": 6,
    "mouth": 7, "u_lip": 8, "l_lip": 8, "hair": 9, "hat": 10, "ear_r": 11, "neck_l": 12, "neck": 13, "cloth": 14,
}  # fmt: skip


def items(params: DatasetParams) -> list[Item]:
    """The images of layout `celeba_hq` with label maps; part files may lie flat or in numbered folders."""
    found = celeba_hq.items(params)
    folder = root_of(params, PARTS, celeba_hq.WHERE) / PARTS
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder; looked for part files such as 00000_hair.png; get {celeba_hq.WHERE}"
        )
    parts = _parts(folder)
    return [_with_parts(item, parts) for item in found]


def _parts(folder: Path) -> dict[int, dict[str, Path]]:
    """Image number -> part -> its file."""
    found: dict[int, dict[str, Path]] = defaultdict(dict)
    for name in image_files(folder):
        number, _, part = name.stem.partition("_")
        if number.isdigit() and part in CLASS_OF_PART:
            found[int(number)][part] = folder / name
    return found


def _with_parts(item: Item, parts: dict[int, dict[str, Path]]) -> Item:
    stem = Path(item.name).stem
    own = parts.get(int(stem), {}) if stem.isdigit() else {}
    return replace(item, labels=partial(_merge, own), beside=tuple(own.values()))


def _merge(parts: dict[str, Path]) -> Uint8:
    """uint8 classes (H, W); ValueError where there is no part."""
    if not parts:
        raise ValueError("no part files for its labels")
    labels_HW = None
    for part, value in CLASS_OF_PART.items():
        if part in parts:
            seen_HW = read_hole(parts[part])
            labels_HW = np.zeros(seen_HW.shape, dtype=np.uint8) if labels_HW is None else labels_HW
            labels_HW[seen_HW] = value
    assert labels_HW is not None
    return labels_HW
