"""A trained inpainter apart from the project: released parts and resolved params in one folder, pictures as bytes.

Asked with a table of images and masks (encoded pictures, a row each) it answers with a table of completions (PNG, K
rows an image), drawn as `plurifill inpaint` draws them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images import files, originals
from stages.images.mask_levels import mask_of
from stages.images.originals import Original
from stages.project import devices, paths
from stages.project.entries import Entry
from stages.project.params import nearest, validate
from stages.project.progress import tell
from stages.project.releases import CONFIG, WEIGHTS, read_config, read_trained
from stages.project.seeds import several
from stages.sampling import inpainters, pairs, windows
from stages.sampling.completion import Job, completions

INPAINTER = "inpainter.json"
MOST = 1000  # completions of a row, all of which an answer holds at once; ours
OPTIONS: dict[str, Any] = {"nsampling": 1, "seed": 0, "hole": "white", "window": "whole"}  # as `plurifill inpaint` has
INPUTS = {"image": "binary", "mask": "binary"}  # encoded pictures of one size; masks as `hole` says
OUTPUTS = {"image": "long", "k": "long", "seed": "long", "completion": "binary"}  # `image`: the row asked with


def pack(values: Mapping[str, Any], entry: Entry, folder: Path) -> dict[str, Any]:
    """The entry's parts (copied) and resolved params in `folder`; what its answers depend on, as plain values."""
    own = inpainters.params(values, entry)
    parts = {part: paths.model(entry.method, part) for part in inpainters.module(entry.method).PARENTS}
    about = {
        "entry": str(entry),
        "params": own.model_dump(mode="json"),
        "parts": {part: read_config(place)["sha256"] for part, place in parts.items()},
    }
    for part, place in parts.items():
        (folder / part).mkdir(parents=True)
        for name in (WEIGHTS, CONFIG, "card.md"):
            shutil.copy(place / name, folder / part / name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INPAINTER).write_text(json.dumps(about, indent=2) + "\n")
    return about


def serve(folder: Path) -> Callable[[pd.DataFrame, Mapping[str, Any]], pd.DataFrame]:
    """The inpainter that `pack` left in `folder`, on a GPU where there is one, ready to answer."""
    about = json.loads((folder / INPAINTER).read_text())
    entry = Entry.parse(about["entry"])
    trained = {part: read_trained(folder / part) for part in about["parts"]}
    own = validate(inpainters.module(entry.method).Params, about["params"], str(folder / INPAINTER))
    device = devices.choose()
    inpainter, size = inpainters.for_pictures(entry, own, trained, device)
    return lambda asked, options: answer(Job(inpainter, device, size), asked, options)


def answer(job: Job, asked: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """K completions of every row's image; UserError names the row that has none and why."""
    given = {**OPTIONS, **options}
    for name, value in options.items():
        _refuse_param(name, value)
    seeds = several(given["seed"], given["nsampling"])
    job = replace(job, seeds=seeds, hole=given["hole"], window=windows.kind(given["window"]))
    rows = []
    for number, (image, mask) in enumerate(zip(asked["image"], asked["mask"], strict=True)):
        original, hole_HW = _read(image, mask, number, job.hole)
        for k, picture_HWC in enumerate(completions(job, original.image_HWC, hole_HW).numpy()):
            rows.append((number, k, seeds[k], original.completed(picture_HWC, hole_HW)))
    return pd.DataFrame(rows, columns=list(OUTPUTS))


def example() -> pd.DataFrame:
    """What to ask with: one small picture of two slopes, its middle missing."""
    ramp_HW = np.linspace(0, 255, 32, dtype=np.uint8)[None].repeat(32, axis=0)
    hole_HW = np.zeros((32, 32), np.uint8)
    hole_HW[8:24, 8:24] = 255
    image_HWC = np.stack([ramp_HW, ramp_HW.T, 255 - ramp_HW], axis=-1)
    return pd.DataFrame({"image": [files.encode_png(image_HWC)], "mask": [files.encode_png(hole_HW)]})


def _read(image: bytes, mask: bytes, number: int, hole: str) -> tuple[Original, NDArray[np.bool_]]:
    """A row's picture and hole (H, W); what a person would be warned of is told on stderr."""
    names = (f"row {number}: image", f"row {number}: mask")
    if image == mask:
        raise UserError(f"{names[1]}: the mask is the image itself; send its mask, {hole} in the hole")
    original = _decoded(originals.decode, image, names[0])
    read = mask_of(_decoded(files.decode, mask, names[1]), hole, names[1])
    pairs.refuse_unfit(original, read, *names, f"holes are {hole} (the param `hole` says which colour)")
    for line in pairs.remarks(original, read, *names):
        tell(f"warning: {line}")
    return original, read.hole_HW


def _refuse_param(name: str, value: Any) -> None:
    if name not in OPTIONS:
        raise UserError(f"param {name}: there is no such{nearest(name, list(OPTIONS))}")
    kind = type(OPTIONS[name])
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UserError(f"param {name}: {value!r} is no {'text' if kind is str else 'whole number'}")
    if name == "nsampling" and value > MOST:
        raise UserError(f"param nsampling: {value} is over {MOST}; ask for the rest by further seeds")


def _decoded(decode: Callable[[bytes], pairs.Decoded], data: Any, what: str) -> pairs.Decoded:
    """A picture of `data`, which is whatever was sent in its place."""
    mend = "send an encoded picture (PNG, JPEG), base64 in the JSON of dataframe_records or dataframe_split"
    if not isinstance(data, bytes):
        raise UserError(f"{what}: {type(data).__name__} and no bytes; {mend}")
    return pairs.decoded(decode, data, what, mend)
