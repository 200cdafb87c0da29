"""`plurifill inpaint`: K completions of any photograph and mask; known pixels come back untouched.

Sample k of `--seed s` is drawn with seed s + k and depends on that seed, the image, the mask and the method alone.
Finished pictures are recognised by their provenance and not made again. `stages/windows.py` tells how a picture of
any size meets a network of one size; a method without trained parts works at the picture's own size.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from ruamel.yaml import YAML
from torch import Tensor

from stages import inpainters, pairs, places, windows
from stages.contract import Inpainter, Params, Request, Trained, UserError
from stages.engine import device as devices
from stages.engine import params as settings
from stages.engine.fingerprint import of_file
from stages.images import pixels
from stages.provenance import commit
from stages.rank import likeliest_first


@dataclass(frozen=True)
class Job:
    """What is the same for every picture: the inpainter, the network's size (None: any), seeds and declared rules."""

    inpainter: Inpainter
    device: torch.device
    size: int | None
    seeds: tuple[int, ...]
    batch: int
    hole: str
    window: str
    origin: Mapping[str, Any]
    rank: str = "seed"


def main(
    method: Annotated[str, typer.Option(help="a method, or one of its variants as METHOD/VARIANT")],
    image: Annotated[Path, typer.Option(help="an image, or a folder of images")],
    mask: Annotated[Path, typer.Option(help="a mask, or a folder of masks named as their images")],
    output: Annotated[Path, typer.Option(help="a .png for one sample of one image, else a folder: KEY/KK.png")],
    nsampling: Annotated[int, typer.Option(min=1, help="completions an image")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="sample k is drawn with seed + k")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:N; default: a GPU where there is one")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="completions at once")] = 8,
    limit: Annotated[int, typer.Option(min=0, help="the first so many images; 0: all")] = 0,
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
    hole: Annotated[str, typer.Option(help="the hole's colour in mask files: white or black")] = "white",
    window: Annotated[str, typer.Option(help="what the network sees: whole picture, or a square round the hole")] = (
        "whole"
    ),
    rank: Annotated[
        str, typer.Option(help="the files' order: by seed, or by likelihood (the likeliest first)")
    ] = "seed",
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
) -> None:
    """Complete your own photographs; finished ones are not made again."""
    window = windows.kind(window)
    if rank not in {"seed", "likelihood"}:
        raise UserError(f"--rank {rank}: choose seed or likelihood")
    work = pairs.pair(image, mask)[: limit or None]
    single = _single(output, image, nsampling)
    values = settings.read(params, set_ or ())
    job = _job(values, method, devices.choose(device), tuple(range(seed, seed + nsampling)), batch_size, hole, window)
    job = replace(job, rank=rank)
    _write_text(_beside(output, single, "params.yaml"), _yaml(values))
    for number, one in enumerate(work, 1):
        files = [output] if single else [output / one.key / f"{k:02d}.png" for k in range(nsampling)]
        note = _beside(output, single, "provenance.json") if single else output / one.key / "provenance.json"
        done = complete(job, one, files, note)
        print(f"{number}/{len(work)} {one.key}{'' if done else ': there already'}", file=sys.stderr)
        print(output if single else output / one.key)


def complete(job: Job, one: pairs.Pair, files: Sequence[Path], note: Path) -> bool:
    """One picture's completions as PNG files, then their provenance; False where they were there already."""
    image_HWC, hole_HW = pairs.read(one, job.hole)
    if doubt := pairs.suspicion(image_HWC, hole_HW):
        other = "black" if job.hole == "white" else "white"
        print(f"warning: {one.mask}: {doubt}; --hole {other} reads the mask the other way", file=sys.stderr)
    seen = windows.choose(job.window, hole_HW, job.size)
    text = json.dumps(_provenance(job, one, seen), indent=2) + "\n"
    if note.is_file() and note.read_text() == text and all(file.is_file() for file in files):
        return False
    for file, picture_HWC in zip(files, answers(job, image_HWC, hole_HW), strict=True):
        pixels.write_png(file, picture_HWC.numpy())
    _write_text(note, text)
    return True


def answers(job: Job, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_]) -> Tensor:
    """All of one picture's completions, uint8 (K, H, W, 3); known pixels are the picture's."""
    seen = windows.choose(job.window, hole_HW, job.size)
    return windows.back(draw(job, *windows.see(image_HWC, hole_HW, seen, job.size)), image_HWC, hole_HW, seen)


def draw(job: Job, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """All of one picture's completions (K, 3, H, W), `batch` at a time."""
    image_BCHW, known_B1HW = image_BCHW.to(job.device), known_B1HW.to(job.device)
    drawn = []
    for start in range(0, len(job.seeds), job.batch):
        seeds_BK = torch.tensor([job.seeds[start : start + job.batch]], device=job.device)
        drawn.append(job.inpainter.sample(Request(image_BCHW, known_B1HW, seeds_BK)).raw_BKCHW[0])
    raw_KCHW = torch.cat(drawn)
    if job.rank == "likelihood":
        return likeliest_first(job.inpainter, image_BCHW, known_B1HW, raw_KCHW, job.seeds)
    return raw_KCHW


def _job(
    values: Mapping[str, Any],
    row: str,
    device: torch.device,
    seeds: tuple[int, ...],
    batch: int,
    hole: str,
    window: str,
) -> Job:
    method = row.partition("/")[0]
    own = inpainters.params(values, method, row)
    trained = inpainters.parents(method)
    inpainter, size = inpainters.for_pictures(row, own, trained, device)
    return Job(inpainter, device, size, seeds, batch, hole, window, _origin(method, row, own, trained))


def _origin(method: str, row: str, own: Params, trained: Mapping[str, Trained]) -> dict[str, Any]:
    weights = {part: of_file(places.model(method, part) / "model.safetensors") for part in trained}
    return {"method": row, "commit": commit(), "params": own.model_dump(mode="json"), "weights": weights}


def _provenance(job: Job, one: pairs.Pair, seen: windows.Window) -> dict[str, Any]:
    files = {"image": one.image, "mask": one.mask}
    inputs = {name: {"file": path.name, "sha256": of_file(path)} for name, path in files.items()}
    rules = {"hole": job.hole, "window": asdict(seen), "seeds": list(job.seeds), "rank": job.rank}
    return {**job.origin, **inputs, **rules}


def _single(output: Path, image: Path, nsampling: int) -> bool:
    if not output.suffix or output.is_dir():
        return False
    if output.suffix.lower() != ".png":
        raise UserError(f"{output}: results are PNG files (JPEG changes known pixels); name a .png or a folder")
    if image.is_dir() or nsampling > 1:
        raise UserError(f"{output}: one file cannot hold several completions; name a folder")
    return True


def _beside(output: Path, single: bool, name: str) -> Path:
    return output.with_suffix(f".{name}") if single else output / name


def _yaml(values: Mapping[str, Any]) -> str:
    text = io.StringIO()
    YAML().dump(dict(values), text)
    return text.getvalue()


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(path)
