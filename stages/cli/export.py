"""`plurifill export METHOD --output DIR`: samples as plain PNGs, `DIR/<testset>/<entry>/<key>/<kk>.png`.

Raw, as they are stored: for other tools, and for `plurifill benchmark --results DIR/<testset>/<entry>`. Beside
each entry's folder `<entry>.json` tells what was drawn from what.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.contract import UserError
from stages.project import names, paths
from stages.project.files import atomic_folder, refuse_no_folder
from stages.sampling import exports, store
from stages.sampling.store import SampleStore
from stages.sampling.testsets import by_turns


def main(
    method: Annotated[str, typer.Argument(help="a method whose completions are finished")],
    output: Annotated[Path, typer.Option(help="the folder to make")],
    images: Annotated[int, typer.Option(min=0, help="at most, of as many photographs as there are; 0: all")] = 0,
    samples: Annotated[int, typer.Option(min=0, help="an image, the first ones; 0: all")] = 0,
) -> None:
    """Write the method's completions of every test set as PNG files into a new folder."""
    names.check_folder(method, "METHOD")
    if output.exists():
        raise UserError(f"{output}: is there already; remove it, or name another folder")
    refuse_no_folder(output, "--output")
    found = store.finished(paths.samples(method))
    if not found:
        raise UserError(f"{paths.samples(method)}: no finished samples; run `plurifill sample {method}` (or dvc repro)")
    with atomic_folder(output) as part:
        count = sum(_export(place, part, images, samples) for place in found)
    print(f"{output}: {count} completions in {len(found)} folder{'' if len(found) == 1 else 's'}")


def _export(place: Path, output: Path, images: int, samples: int) -> int:
    drawn = SampleStore.open(place)
    chosen = set(by_turns(drawn.keys, drawn.sources)[: images or None])
    keys = [key for key in drawn.keys if key in chosen]  # in the store's order: each piece is opened once
    return exports.write(drawn, output / place.parent.name / place.name, keys, samples)
