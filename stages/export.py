"""`plurifill export METHOD --output DIR`: finished completions as plain PNGs, `DIR/<draw>/<row>/<key>/<kk>.png`.

Raw, as they are stored: for other tools, and for `plurifill benchmark --results DIR/<draw>/<row> --output-kind raw`.
Beside each row's folder `<row>.json` tells what was drawn from what.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from stages import places
from stages.contract import UserError
from stages.samples import exported
from stages.samples.draws import by_turns
from stages.samples.store import Finished


def main(
    method: Annotated[str, typer.Argument(help="a method whose completions are finished")],
    output: Annotated[Path, typer.Option(help="the folder to make")],
    images: Annotated[int, typer.Option(min=0, help="at most, of as many photographs as there are; 0: all")] = 0,
    samples: Annotated[int, typer.Option(min=0, help="an image, the first ones; 0: all")] = 0,
) -> None:
    """Write the method's completions of every draw as PNG files into a new folder."""
    if output.exists():
        raise UserError(f"{output}: is there already; remove it, or name another folder")
    finished = places.samples(method)
    found = sorted(finished.glob("*/*/draw.json"))
    if not found:
        raise UserError(f"{finished}: no finished samples; run `plurifill sample {method}` (or dvc repro)")
    part = output.with_name(f".{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    count = sum(_export(path.parent, part, images, samples) for path in found)
    part.rename(output)
    print(f"{output}: {count} completions of {len(found)} row{'' if len(found) == 1 else 's'} and draws")


def _export(place: Path, output: Path, images: int, samples: int) -> int:
    drawn = Finished.open(place)
    chosen = set(by_turns(drawn.keys, drawn.sources)[: images or None])
    keys = [key for key in drawn.keys if key in chosen]  # in the store's order: each piece is opened once
    return exported.write(drawn, output / place.parent.name / place.name, keys, samples)
