"""CelebA-HQ, with or without the face parts of CelebAMask-HQ (its 18 parts and background merged to 15 classes)."""

from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from stages.contract import UserError
from stages.images.block import Block
from stages.images.names import image_files
from stages.images.pixels import Uint8, read_hole
from stages.images.sources.folder import listed
from stages.images.sources.item import Item, fill_splits, root_of
from stages.images.sources.trees import Tree, in_tree

WHERE = "https://github.com/switchablenorms/CelebAMask-HQ"
PARTITIONS = {"0": "train", "1": "val", "2": "test"}
RESIZED = Tree(WHERE, {"train": ("train_256",), "test": ("test_256",)})
IMAGES, MAPPING, PARTITION = "CelebA-HQ-img", "CelebA-HQ-to-CelebA-mapping.txt", "list_eval_partition.txt"
PARTS = "CelebAMask-HQ-mask-anno"

# part -> class, in painting order (later parts cover earlier ones). Left and right, upper and lower are merged, since
# a flip would swap them: 15 classes with the background, as in MMT and paper 002
CLASSES = {
    "skin": 1, "nose": 2, "eye_g": 3, "l_eye": 4, "r_eye": 4, "l_brow": 5, "r_brow": 5, "l_ear": 6, "r_ear": 6,
    "mouth": 7, "u_lip": 8, "l_lip": 8, "hair": 9, "hat": 10, "ear_r": 11, "neck_l": 12, "neck": 13, "cloth": 14,
}  # fmt: skip


def items(block: Block) -> list[Item]:
    """CelebA-HQ in CelebA's own partition (24,183 / 2,993 / 2,824), as train_256/ and test_256/, or by a split file."""
    root = root_of(block, f"{IMAGES}/ or train_256/ and test_256/", WHERE)
    if block.splits:
        found = listed(block, root)
    elif (root / IMAGES).is_dir():
        found = _partitioned(root)
    else:
        found = in_tree(root, RESIZED)
    return fill_splits(found, block.shares, block.seed)


def items_with_parts(block: Block) -> list[Item]:
    """The same with label maps; part files may lie flat or in numbered folders."""
    found = items(block)
    root = root_of(block, PARTS, WHERE)
    if not (root / PARTS).is_dir():
        raise UserError(f"{root / PARTS}: no such folder; looked for part files such as 00000_hair.png; get {WHERE}")
    parts = _parts(root / PARTS)
    return [_with_parts(item, parts) for item in found]


def _partitioned(root: Path) -> list[Item]:
    for name in (MAPPING, PARTITION):
        if not (root / name).is_file():
            raise UserError(
                f"{root / name}: no such file; it gives CelebA's partition; get it from {WHERE}, or set splits"
            )
    partition = dict(line.split()[:2] for line in (root / PARTITION).read_text().splitlines() if line.strip())
    rows = [line.split() for line in (root / MAPPING).read_text().splitlines()[1:] if line.strip()]
    splits = {index: PARTITIONS[partition[original]] for index, _, original in rows}
    names = [name for name in image_files(root / IMAGES) if name.stem.isdigit() and str(int(name.stem)) in splits]
    return [Item(str(n), splits[str(int(n.stem))], root / IMAGES / n, str(n)) for n in names]


def _parts(folder: Path) -> dict[int, dict[str, Path]]:
    """Image number -> part -> its file."""
    found: dict[int, dict[str, Path]] = defaultdict(dict)
    for name in image_files(folder):
        number, _, part = name.stem.partition("_")
        if number.isdigit() and part in CLASSES:
            found[int(number)][part] = folder / name
    return found


def _with_parts(item: Item, parts: dict[int, dict[str, Path]]) -> Item:
    stem = Path(item.name).stem
    own = parts.get(int(stem), {}) if stem.isdigit() else {}
    return replace(item, labels=partial(_merge, own), beside=tuple(own.values()))


def _merge(parts: dict[str, Path]) -> Uint8:
    if not parts:
        raise ValueError("no part files for its labels")
    labels_HW = None
    for part, value in CLASSES.items():
        if part in parts:
            seen_HW = read_hole(parts[part])
            labels_HW = np.zeros(seen_HW.shape, dtype=np.uint8) if labels_HW is None else labels_HW
            labels_HW[seen_HW] = value
    assert labels_HW is not None
    return labels_HW
