"""`plurifill transfer`: the source's hole filled after another image (paper 003, Sec. 4.3).

Source, mask and target have one size: the hole is the same place in both. Known pixels come back untouched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from stages.cli import options
from stages.contract import Request, Transfers, UserError
from stages.images import files
from stages.images.levels import Level
from stages.project import devices, paths
from stages.project import params as settings
from stages.project.entries import Entry
from stages.project.files import write_bytes, write_json
from stages.project.hashing import of_file
from stages.project.progress import tell
from stages.project.provenance import commit
from stages.project.releases import read_config
from stages.sampling import inpainters, pairs, windows


def main(
    method: options.EntryOption,
    source: Annotated[Path, typer.Option(help="the image whose hole is filled")],
    mask: Annotated[Path, typer.Option(help="the source's mask")],
    target: Annotated[Path, typer.Option(help="the image that is followed, of the source's size")],
    output: Annotated[Path, typer.Option(help="a .png; its provenance is written beside it")],
    device: options.Device = "",
    set_: options.Set = None,
    hole: Annotated[Level, typer.Option(help="the hole's colour in the mask file")] = Level.white,
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Fill a hole after another image."""
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: results are PNG files (JPEG changes known pixels); name a .png")
    original, read = pairs.opened(pairs.Pair(source.stem, source, mask), hole)
    image_HWC, hole_HW = original.image_HWC, read.hole_HW
    target_HWC = _read_target(target, source, image_HWC)
    for line in pairs.remarks(original, read, str(source), str(mask)):
        tell(f"warning: {line}")
    inpainter, size, origin = _inpainter(settings.read(params, set_ or ()), Entry.parse(method), devices.choose(device))
    picture_HWC = carried(inpainter, size, image_HWC, hole_HW, target_HWC)
    write_bytes(output, original.completed(picture_HWC, hole_HW))
    inputs = {"source": source, "mask": mask, "target": target}
    hashes = {name: {"file": path.name, "sha256": of_file(path)} for name, path in inputs.items()}
    write_json(output.with_suffix(".provenance.json"), {**origin, **hashes, "hole": hole}, indent=2)
    print(output)


def carried(
    inpainter: Transfers,
    size: int,
    image_HWC: NDArray[np.uint8],
    hole_HW: NDArray[np.bool_],
    target_HWC: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """The source with its hole filled after the target, both seen whole at the network's size."""
    seen = windows.whole(hole_HW)
    image_BCHW, known_B1HW = windows.see(image_HWC, hole_HW, seen, size)
    target_BCHW, _ = windows.see(target_HWC, np.zeros_like(hole_HW), seen, size)
    request = Request(image_BCHW, known_B1HW, torch.zeros(1, 1, dtype=torch.int64))
    raw_KCHW = inpainter.transfer(request, target_BCHW).raw_BKCHW[0]
    return windows.back(raw_KCHW, image_HWC, hole_HW, seen)[0].numpy()


def _read_target(target: Path, source: Path, image_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    target_HWC = files.read_rgb(target)
    if target_HWC.shape != image_HWC.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (target_HWC.shape, image_HWC.shape)]
        raise UserError(f"{target}: {sizes[0]} pixels, but {source} has {sizes[1]}; give a target of the same size")
    return target_HWC


def _inpainter(values: dict[str, Any], entry: Entry, device: torch.device) -> tuple[Transfers, int, dict[str, Any]]:
    """The entry's inpainter, its size, and where it comes from."""
    own, trained = inpainters.params(values, entry), inpainters.parents(entry.method)
    inpainter = inpainters.build(entry.method, own, trained, device)
    if not isinstance(inpainter, Transfers):
        raise UserError(f"{entry}: it cannot transfer: its inpainter has no latents to read off another image")
    weights = {part: read_config(paths.model(entry.method, part))["sha256"] for part in trained}
    origin = {"method": str(entry), "commit": commit(), "params": own.model_dump(mode="json"), "weights": weights}
    return inpainter, next(iter(trained.values())).spec.size, origin
