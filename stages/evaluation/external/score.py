"""From a results folder to its scores and tables: no params.yaml, no training, no GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch

from stages.contract import Spec
from stages.evaluation.asked import Asked, keep_share
from stages.evaluation.external.samples import FolderSamples, Holes, Originals
from stages.evaluation.protocols import Protocol
from stages.evaluation.results import Result
from stages.evaluation.results import results as evaluate
from stages.metrics.core import lookup
from stages.metrics.core.contract import MetricContext
from stages.project import tables
from stages.project.entries import Entry
from stages.project.files import write_json
from stages.project.progress import tell
from stages.sampling.external.folder import cases
from stages.sampling.external.layouts import OWN, Layout
from stages.sampling.external.polarity import told_apart
from stages.sampling.external.survey import Survey, survey
from stages.sampling.shares import Share
from stages.sampling.store import Samples
from stages.sampling.testsets import TestSet, TestSetParams


@dataclass(frozen=True)
class Folders:
    """What is scored and what was declared about it.

    The hole's colour in the masks (None: told apart), raw or composited results, how these are named.
    """

    results: Path
    images: Path
    masks: Path
    hole: str | None
    kind: str
    layout: Layout = OWN


@dataclass(frozen=True)
class ScoredFolder:
    """A folder's results by protocol, and what a page shows of them."""

    folders: Folders
    testset: TestSet
    samples: Samples
    results: tuple[Result, ...]
    warnings: tuple[str, ...]

    def write(self, output: Path) -> list[Path]:
        """scores (every value of every sample) and summary as parquet, cards.json; the files written."""
        long = tables.write(pd.concat([one.long for one in self.results], ignore_index=True), output / "scores")
        summary = tables.write(pd.concat([one.summary for one in self.results], ignore_index=True), output / "summary")
        about = {
            "cards": {one.protocol: one.card.told() for one in self.results},
            "absent": {one.protocol: dict(one.absent) for one in self.results},
            "warnings": list(self.warnings),
        }
        write_json(output / "cards.json", about)
        return [long, summary, output / "cards.json"]


def score_folder(
    folders: Folders, metrics: Sequence[str], device: torch.device, kept: Path | None = None
) -> ScoredFolder:
    """Check everything, then score it; what parts left in `kept` is taken over. UserError on the first fault."""
    folders, found = audit(folders)
    asked = _asked(folders, found, metrics, device)
    scored = tuple(evaluate(asked, kept))
    warnings = (*found.warnings, *(f"{one.protocol}: {text}" for one in scored for text in one.warnings()))
    return ScoredFolder(folders, asked.testset, asked.finished, scored, warnings)


def keep_folder_share(folders: Folders, metrics: Sequence[str], device: torch.device, kept: Path, share: Share) -> None:
    """Check everything, then leave what metrics tell of a share of it in `kept`. UserError on the first fault."""
    folders, found = audit(folders)
    keep_share(_asked(folders, found, metrics, device), share, kept)


def _asked(folders: Folders, found: Survey, metrics: Sequence[str], device: torch.device) -> Asked:
    testset, samples = as_samples(folders, found)
    chosen = protocols(folders.kind, len(samples.keys), testset.params.samples, metrics)
    context = MetricContext(device, len(samples.keys), side=found.smaller_side, samples=testset.params.samples)
    return Asked(name(folders), testset, samples, chosen, context)


def audit(folders: Folders) -> tuple[Folders, Survey]:
    """The folders with the hole's colour, and what was seen in every file; UserError on the first fault."""
    given = cases(folders.results, folders.images, folders.masks, folders.layout)
    hole = folders.hole or told_apart(given)
    found = survey(given, hole, folders.kind, folders.masks)
    for warning in found.warnings:
        tell(f"WARNING: {warning}")
    return replace(folders, hole=hole), found


def seen(folders: Folders, found: Survey) -> str:
    """What an audit saw, in a line."""
    first, ratios = found.inspections[0], [one.hole_ratio for one in found.inspections]
    many = f"{len(ratios)} images x {len(first.case.completions)}, {first.shape[1]} x {first.shape[0]} pixels"
    holes = f"{folders.hole} holes of {min(ratios):.0%} to {max(ratios):.0%}"
    kind = f"{folders.kind}{', from JPEG files' if found.lossy else ''}"
    return f"{folders.results}: {many}, {holes}, {kind}: can be scored"


def name(folders: Folders) -> Entry:
    """The entry's name: the results folder's."""
    return Entry(folders.results.resolve().name)


def as_samples(folders: Folders, found: Survey) -> tuple[TestSet, FolderSamples]:
    """The folder in the words of a test set and its samples."""
    inspected = tuple(one.case for one in found.inspections)
    originals = Originals(folders.images.resolve().name, inspected, Spec(found.smaller_side), found.image_hash)
    masks = {case.key: case.mask for case in inspected}
    assert folders.hole, "an audit tells it"
    holes = Holes(folders.masks.resolve().name, masks, folders.hole, found.hole_hash)
    samples = len(inspected[0].completions)
    params = TestSetParams(dataset=originals.name, masks=holes.name, samples=samples)
    given = params.model_copy(update={"split": "given"})  # of no dataset's
    testset = TestSet("folder", given, originals, holes, chosen=tuple(range(len(inspected))))
    told = {**testset.identity(), "entry": str(name(folders)), "trained_on": [], "lossy": found.lossy}
    return testset, FolderSamples(folders.results, told, found)


def protocols(kind: str, images: int, samples: int, metrics: Sequence[str] = ()) -> dict[str, Protocol]:
    """Composited, known pixels put back by us where they were not; and as they are, where they are raw."""
    chosen = tuple(metrics) or lookup.defaults(images, samples, raw=kind == "raw")
    judged = {"composited": True} | ({"raw": False} if kind == "raw" else {})
    return {
        called: Protocol(testset="folder", composite=composite, selection="all", metrics=chosen)
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
        "layout": folders.layout.told,
    }
    return "\n".join(f"{word}: {value}" for word, value in said.items())
