"""`plurifill inpaint`: K completions of any photograph and mask; known pixels come back untouched.

Sample k of `--seed s` is drawn with seed s + k and depends on that seed, the image, the mask and the method alone.
Finished pictures are recognised by their provenance and not made again. `stages/sampling/windows.py` tells how a
picture of any size meets a network of one size; a method without trained parts works at the picture's own size.
Edge and label maps guide methods that know them: they are of the picture's size, and known in the hole too.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from ruamel.yaml import YAML

from stages.cli import options
from stages.cli.options import Rank
from stages.contract import Params, Trained, UserError
from stages.images.levels import Level
from stages.project import devices, paths, seeds
from stages.project import params as settings
from stages.project.entries import Entry
from stages.project.files import write_bytes, write_text
from stages.project.hashing import of_file
from stages.project.provenance import commit
from stages.project.releases import WEIGHTS
from stages.sampling import inpainters, maps, pairs, windows
from stages.sampling.completion import Job, completions
from stages.sampling.windows import WindowKind


def main(
    method: options.EntryOption,
    image: Annotated[Path, typer.Option(help="an image, or a folder of images")],
    mask: Annotated[Path, typer.Option(help="a mask, or a folder of masks named as their images")],
    output: Annotated[Path, typer.Option(help="a .png for one sample of one image, else a folder: KEY/KK.png")],
    edges: Annotated[
        Path | None, typer.Option(help="a map of edges that guide it, or a folder of maps named as their images")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="a map of labels that guide it (PNG, a class a pixel, 255: unknown), or a folder"),
    ] = None,
    edge_colour: Annotated[
        Level | None, typer.Option(help="the edges' colour in edge maps; default: that of the fewer pixels")
    ] = None,
    nsampling: Annotated[int, typer.Option(min=1, help="completions an image")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="sample k is drawn with seed + k")] = 0,
    device: options.Device = "",
    batch_size: Annotated[int, typer.Option(min=1, help="completions at once")] = 8,
    limit: options.Limit = 0,
    set_: options.Set = None,
    hole: Annotated[Level, typer.Option(help="the hole's colour in mask files")] = Level.white,
    window: Annotated[
        WindowKind, typer.Option(help="what the network sees: the whole picture, or a square round the hole")
    ] = WindowKind.whole,
    size: Annotated[
        int | None, typer.Option(min=1, help="what the network sees, a side; default: what it was trained on")
    ] = None,
    rank: Annotated[
        Rank, typer.Option(help="the files' order: by seed, or by likelihood (the likeliest first)")
    ] = Rank.seed,
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Complete your own photographs; finished ones are not made again."""
    if edge_colour and edges is None:
        raise UserError("--edge-colour: there are no edge maps to read by it; give --edges, or leave it out")
    work = pairs.guided(pairs.pair(image, mask)[: limit or None], edges, labels)
    single = _single(output, image, nsampling)
    values = settings.read(params, set_ or ())
    given = [name for name, place in (("edges", edges), ("labels", labels)) if place is not None]
    own = _job(values, Entry.parse(method), devices.choose(device), given, size)
    job = replace(own, seeds=seeds.several(seed, nsampling), batch=batch_size, hole=hole, window=window, rank=rank)
    job = replace(job, edge_colour=edge_colour)
    write_text(_beside(output, single, "params.yaml"), _yaml(values))
    for number, one in enumerate(work, 1):
        files = [output] if single else [output / one.key / f"{k:02d}.png" for k in range(nsampling)]
        note = _beside(output, single, "provenance.json") if single else output / one.key / "provenance.json"
        done = complete(job, one, files, note)
        print(f"{number}/{len(work)} {one.key}{'' if done else ': there already'}", file=sys.stderr)
        print(output if single else output / one.key)


def complete(job: Job, one: pairs.Pair, files: Sequence[Path], note: Path) -> bool:
    """One picture's completions as PNG files, then their provenance; False where they were there already."""
    original, mask = pairs.opened(one, job.hole)
    image_HWC, hole_HW = original.image_HWC, mask.hole_HW
    guiding = maps.opened(one, image_HWC, job.edge_colour, job.classes)
    for line in (*pairs.remarks(original, mask, str(one.image), str(one.mask)), *guiding.remarks):
        print(f"warning: {line}", file=sys.stderr)
    if doubt := pairs.suspicion(image_HWC, hole_HW):
        other = "black" if job.hole == "white" else "white"
        print(f"warning: {one.mask}: {doubt}; --hole {other} reads the mask the other way", file=sys.stderr)
    seen = windows.choose(job.window, hole_HW, job.size)
    text = json.dumps(_provenance(job, one, guiding, seen), indent=2) + "\n"
    if note.is_file() and note.read_text() == text and all(file.is_file() for file in files):
        return False
    for file, picture_HWC in zip(files, completions(job, image_HWC, hole_HW, guiding), strict=True):
        write_bytes(file, original.completed(picture_HWC.numpy(), hole_HW))
    write_text(note, text)
    return True


def _job(values: Mapping[str, Any], entry: Entry, device: torch.device, given: Sequence[str], size: int | None) -> Job:
    """The entry's inpainter, ready for pictures with the maps that are given."""
    own, trained = inpainters.params(values, entry), inpainters.parents(entry.method)
    inpainter, seen = inpainters.for_pictures(entry, own, trained, device, given, size)
    return Job(inpainter, device, seen, origin=_origin(entry, own, trained))


def _origin(entry: Entry, own: Params, trained: Mapping[str, Trained]) -> dict[str, Any]:
    weights = {part: of_file(paths.model(entry.method, part) / WEIGHTS) for part in trained}
    return {"method": str(entry), "commit": commit(), "params": own.model_dump(mode="json"), "weights": weights}


def _provenance(job: Job, one: pairs.Pair, guiding: maps.Maps, seen: windows.Window) -> dict[str, Any]:
    files = {name: {"file": path.name, "sha256": of_file(path)} for name, path in one.files.items()}
    inputs = {name: {**file, **guiding.read.get(name, {})} for name, file in files.items()}
    rules = {"hole": job.hole, "window": asdict(seen), "size": job.size, "seeds": list(job.seeds), "rank": job.rank}
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
