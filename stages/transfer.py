"""`plurifill transfer`: the source's hole filled after another image (paper 003, Sec. 4.3).

Source, mask and target have one size: the hole is the same place in both. Known pixels come back untouched.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from stages import inpainters, pairs, places, windows
from stages.contract import Request, Transfers, UserError
from stages.engine import device as devices
from stages.engine import params as settings
from stages.engine.fingerprint import of_file
from stages.engine.release import read_config
from stages.images import pixels
from stages.provenance import commit
from stages.samples.store import write_atomically


def main(
    method: Annotated[str, typer.Option(help="a method that can transfer, or one of its variants as METHOD/VARIANT")],
    source: Annotated[Path, typer.Option(help="the image whose hole is filled")],
    mask: Annotated[Path, typer.Option(help="the source's mask")],
    target: Annotated[Path, typer.Option(help="the image that is followed, of the source's size")],
    output: Annotated[Path, typer.Option(help="a .png; its provenance is written beside it")],
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:N; default: a GPU where there is one")] = None,
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
    hole: Annotated[str, typer.Option(help="the hole's colour in the mask file: white or black")] = "white",
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
) -> None:
    """Fill a hole after another image."""
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: results are PNG files (JPEG changes known pixels); name a .png")
    image_HWC, hole_HW = pairs.read(pairs.Pair(source.stem, source, mask), hole)
    target_HWC = _read_target(target, source, image_HWC)
    inpainter, size, origin = _inpainter(settings.read(params, set_ or ()), method, devices.choose(device))
    pixels.write_png(output, carried(inpainter, size, image_HWC, hole_HW, target_HWC))
    inputs = {"source": source, "mask": mask, "target": target}
    files = {name: {"file": path.name, "sha256": of_file(path)} for name, path in inputs.items()}
    note = json.dumps({**origin, **files, "hole": hole}, indent=2) + "\n"
    write_atomically(output.with_suffix(".provenance.json"), note.encode())
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
    target_HWC = pixels.read_rgb(target)
    if target_HWC.shape != image_HWC.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (target_HWC.shape, image_HWC.shape)]
        raise UserError(f"{target}: {sizes[0]} pixels, but {source} has {sizes[1]}; give a target of the same size")
    return target_HWC


def _inpainter(values: dict[str, Any], row: str, device: torch.device) -> tuple[Transfers, int, dict[str, Any]]:
    """The row's inpainter, its size, and where it comes from."""
    method = row.partition("/")[0]
    own = inpainters.params(values, method, row)
    trained = inpainters.parents(method)
    inpainter = inpainters.module(method).build(own, trained, device)
    if not isinstance(inpainter, Transfers):
        raise UserError(f"{row}: it cannot transfer: its inpainter has no latents to read off another image")
    weights = {part: read_config(places.model(method, part))["sha256"] for part in trained}
    origin = {"method": row, "commit": commit(), "params": own.model_dump(mode="json"), "weights": weights}
    return inpainter, next(iter(trained.values())).spec.size, origin
