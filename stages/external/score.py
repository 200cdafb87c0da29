"""From a results folder to its scores, tables and page: no params.yaml, no training, no GPU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages import tables
from stages.contract import Spec, UserError
from stages.engine import device as devices
from stages.engine.progress import tell
from stages.external.drawn import Drawn, Holes, Originals
from stages.external.folder import cases
from stages.external.page import write_pages
from stages.external.survey import Survey, survey
from stages.metrics import fid
from stages.metrics.view import Axes
from stages.samples.draws import Draw, Opened
from stages.samples.store import write_atomically
from stages.scoring import results as scoring
from stages.scoring.protocols import Protocol
from stages.scoring.results import Result

HOLES, KINDS = ("white", "black"), ("raw", "composited")
OF_ONE = ("psnr", "ssim_uniform7", "ssim_gaussian11", "l1", "lpips_alex", "lpips_squeeze", "fd_alexnet")
OF_MANY = ("fid", "inception_score_splits10", "identity_discrimination")  # none is defined under fid.LEAST images
OF_SEVERAL = ("diversity_all_alex", "diversity_pixel", "collapsed")  # where an image has two completions or more
OF_RAW = ("known_error",)  # where known pixels are not the image's anyway


@dataclass(frozen=True)
class Folders:
    """What is scored and what was declared about it: the hole's colour in the masks, raw or composited results."""

    results: Path
    images: Path
    masks: Path
    hole: str
    kind: str


def score_folder(folders: Folders, output: Path, metrics: Sequence[str] = (), device: str = "") -> list[Path]:
    """Check everything, then score it; the files written below `output`. UserError on the first fault.

    Left there: scores (every value of every sample) and summary as parquet, cards.json, scores.md, index.html.
    """
    refuse_unknown_declarations(folders)
    found = survey(cases(folders.results, folders.images, folders.masks), folders.hole, folders.kind, folders.masks)
    for warning in found.warnings:
        tell(f"WARNING: {warning}")
    opened, drawn = as_draw(folders, found)
    axes = Axes(devices.choose(device or None), len(drawn.keys))
    chosen = protocols(folders.kind, len(drawn.keys), opened.draw.samples, metrics)
    scored = list(scoring.results(name(folders), opened, drawn, chosen, axes))
    warnings = [*found.warnings, *(f"{one.protocol}: {text}" for one in scored for text in one.warnings())]
    tables_written = _write(scored, warnings, output)
    return [*tables_written, *write_pages(scored, warnings, opened, drawn, declared(folders), output)]


def refuse_unknown_declarations(folders: Folders) -> None:
    """What masks and results are must be said, and said in these words."""
    for option, value, words in (("--hole", folders.hole, HOLES), ("--output-kind", folders.kind, KINDS)):
        if value not in words:
            raise UserError(f"{option} {value or '(not given)'}: say {' or '.join(words)}")


def name(folders: Folders) -> str:
    """The row's name: the results folder's."""
    return folders.results.resolve().name


def as_draw(folders: Folders, found: Survey) -> tuple[Opened, Drawn]:
    """The folder in the words of a draw."""
    looked = tuple(look.case for look in found.looks)
    originals = Originals(folders.images.resolve().name, looked, Spec(found.smaller_side), found.image_hash)
    masks = {case.key: case.mask for case in looked}
    holes = Holes(folders.masks.resolve().name, masks, folders.hole, found.hole_hash)
    draw = Draw(dataset=originals.name, split="given", masks=holes.name, samples=len(looked[0].completions))
    opened = Opened("folder", draw, originals, holes, chosen=tuple(range(len(looked))))
    return opened, Drawn(folders.results, {**opened.identity(), "row": name(folders), "trained_on": []}, found)


def protocols(kind: str, images: int, samples: int, metrics: Sequence[str] = ()) -> dict[str, Protocol]:
    """Composited, known pixels put back by us where they were not; and as they are, where they are raw."""
    parts = ((OF_MANY, images >= fid.LEAST), (OF_SEVERAL, samples > 1), (OF_RAW, kind == "raw"))
    chosen = tuple(metrics) or (*OF_ONE, *(name for names, defined in parts if defined for name in names))
    judged = {"composited": True} | ({"raw": False} if kind == "raw" else {})
    return {
        called: Protocol(draw="folder", composite=composite, selection="all", metrics=chosen)
        for called, composite in judged.items()
    }


def declared(folders: Folders) -> str:
    """What was said about the folders, for people who read the page later."""
    said = {
        "results": folders.results,
        "images": folders.images,
        "masks": folders.masks,
        "hole": folders.hole,
        "output kind": folders.kind,
    }
    return "\n".join(f"{word}: {value}" for word, value in said.items())


def _write(scored: Sequence[Result], warnings: Sequence[str], output: Path) -> list[Path]:
    long = tables.write(pd.concat([one.long for one in scored], ignore_index=True), output / "scores")
    summary = tables.write(pd.concat([one.summary for one in scored], ignore_index=True), output / "summary")
    about = {
        "cards": {one.protocol: one.card.told() for one in scored},
        "absent": {one.protocol: dict(one.absent) for one in scored},
        "warnings": list(warnings),
    }
    write_atomically(output / "cards.json", json.dumps(about, indent=1).encode())
    return [long, summary, output / "cards.json"]
