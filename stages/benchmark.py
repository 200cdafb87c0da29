"""`plurifill benchmark METHOD`: the scores of the method's finished samples under every protocol of params.yaml.
`plurifill benchmark --results DIR ...`: the scores of results made elsewhere; no params.yaml is read. With --check it
only looks whether they can be scored. With `--part I/N` metrics see a share of the images, and what they tell is kept:
N workers divide the work, and the same command without it takes that over.

Leaves in reports/scores/: <method>.parquet, every value of every sample; <method>.summary.parquet; <method>.cards.json,
the protocol cards, what is absent and why, warnings and cost; <method>.json, numbers for `dvc metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer

from stages.cli import options
from stages.cli.options import OutputKind
from stages.contract import UserError
from stages.evaluation import protocols
from stages.evaluation.asked import Asked, keep_share
from stages.evaluation.external.score import Folders, audit, keep_folder_share, score_folder, seen
from stages.evaluation.kept import forget_parts, shared_parts
from stages.evaluation.results import FORMAT, Result, cost, results
from stages.evaluation.training_images import training_images
from stages.images.levels import Level
from stages.metrics.core.contract import MetricContext
from stages.pages import results_folder
from stages.project import devices, paths, tables
from stages.project.entries import Entry
from stages.project.files import refuse_no_folder, write_json
from stages.project.hashing import of_values
from stages.project.params import dig, read
from stages.project.progress import tell
from stages.sampling import inpainters, testsets
from stages.sampling.external import results as external_results
from stages.sampling.external.layouts import layout_of
from stages.sampling.shares import Share
from stages.sampling.store import SampleStore
from stages.sampling.testsets import TestSet


def main(
    method: Annotated[str, typer.Argument(help="a method: a folder in stages/methods")] = "",
    set_: options.Set = None,
    device: options.Device = "",
    part: options.Part = "",
    params: options.ParamsFile = options.PARAMS,
    given: Annotated[
        Path | None, typer.Option("--results", help="score this folder instead: KEY.png, or KEY/00.png, KEY/01.png ...")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="with --results: the whole images, KEY.png or .jpg ...")] = None,
    masks: Annotated[Path | None, typer.Option(help="with --results: the masks by name, or one for all")] = None,
    layout: Annotated[
        str | None,
        typer.Option(help="with --results: who wrote them (pic, put, lama ...), or a pattern as '{key}_out_{k}'"),
    ] = None,
    index: Annotated[Path | None, typer.Option(help="with --results: the list of images that '{index}' counts")] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="with --results: pattern of files that are none; may be repeated")
    ] = None,
    hole: Annotated[
        Level | None, typer.Option(help="with --results: what a hole is in the masks; default: told apart")
    ] = None,
    output_kind: Annotated[
        OutputKind | None, typer.Option(help="with --results: known pixels are the image's, or made anew")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="with --results: the folder for tables and page")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="with --results: only this metric; may be repeated")] = None,
    check: Annotated[bool, typer.Option("--check", help="with --results: look at every file, score nothing")] = False,
) -> None:
    """Score the method's samples under every protocol of params.yaml, or a folder of results made elsewhere."""
    share = Share.parse(part) if part else None
    if check and (share or not given):
        raise UserError("--check looks at all of a folder of --results; name one, and no --part")
    if given:
        folders = _declared(given, images, masks, hole, output_kind)
        folders = replace(folders, layout=layout_of(layout, ignore or (), index))
        if check:
            print(seen(*audit(folders)))
        else:
            _score_folder(folders, output, metric or (), devices.choose(device), share)
    elif method:
        values, on = read(params, set_ or ()), devices.choose(device)
        _keep_share(values, method, on, share) if share else _score_method(values, method, on)
    else:
        raise UserError("name a method, or a folder by --results")


def _declared(
    given: Path, images: Path | None, masks: Path | None, hole: Level | None, kind: OutputKind | None
) -> Folders:
    """What was said about the folders; UserError where something was not."""
    if images is None or masks is None:
        raise UserError(f"--results needs {'--images' if images is None else '--masks'} DIR")
    if kind is None:
        raise UserError(f"--output-kind (not given): say {' or '.join(OutputKind)}")
    return Folders(given, images, masks, hole and str(hole), str(kind))


def _score_folder(
    folders: Folders, output: Path | None, metrics: Sequence[str], device: torch.device, share: Share | None
) -> None:
    if output is None:
        raise UserError("--results needs --output DIR, the folder for tables and page (or --check)")
    refuse_no_folder(output, "--output")
    kept = output / ".plurifill-parts"  # no name that a person's own folder may have: it is removed in the end
    if share:
        with shared_parts(kept):
            keep_folder_share(folders, metrics, device, kept, share)
        return
    scored = score_folder(folders, metrics, device, kept)
    for path in [*scored.write(output), *results_folder.write(scored, output)]:
        print(path)
    forget_parts(kept)


def _keep_share(values: Mapping[str, Any], method: str, device: torch.device, share: Share) -> None:
    kept = paths.progress(method, "scores", "")
    with shared_parts(kept):
        for asked, _ in _asked(values, method, device):
            keep_share(asked, share, kept)


def _score_method(values: Mapping[str, Any], method: str, device: torch.device) -> None:
    refuse_no_folder(paths.scores(), "scores go to")
    kept = paths.progress(method, "scores", "")
    scored, costs = list[Result](), list[dict[str, Any]]()
    for asked, samples in _asked(values, method, device):
        scored += results(asked, kept)
        costs += cost(asked.entry, samples)
    _write(method, scored, costs)
    forget_parts(kept)
    print(paths.scores() / f"{method}.json")


def _asked(values: Mapping[str, Any], method: str, device: torch.device) -> Iterator[tuple[Asked, SampleStore]]:
    """Every entry's samples of every test set, under its protocols."""
    chosen = protocols.read(values)
    for entry in inpainters.entries(values, method):
        for name in _testsets(values, entry, list(dict.fromkeys(protocol.testset for protocol in chosen.values()))):
            samples = SampleStore.open(paths.samples(method) / name / entry.folder)
            here = {key: protocol for key, protocol in chosen.items() if protocol.testset == name}
            testset = testsets.open_testset(name, testsets.read(values, name), limit=len(samples.keys))
            yield Asked(entry, testset, samples, here, _context(testset, samples, device)), samples


def _testsets(values: Mapping[str, Any], entry: Entry, asked: Sequence[str]) -> list[str]:
    """Those of the protocols' test sets that the entry has samples of: all, but for results made elsewhere."""
    if not inpainters.is_external(entry.method):
        return list(asked)
    there = external_results.covered(entry, list(dig(values, "testsets")))
    return [name for name in asked if name in there]


def _context(testset: TestSet, samples: SampleStore, device: torch.device) -> MetricContext:
    """Real images' features are kept by the images' content, for all methods."""
    content = of_values({"dataset": testset.dataset.hash, "size": testset.dataset.spec.size, "keys": testset.keys})
    kept = paths.progress("real", testset.dataset.name, content)
    known = training_images(samples.description["trained_on"])
    count = testset.params.samples
    return MetricContext(device, len(testset.keys), kept, known, testset.dataset.spec.size, count)


def _write(method: str, scored: Sequence[Result], costs: Sequence[dict[str, Any]]) -> None:
    """The four files of a method's scores; what is absent or suspect is told, too."""
    absent = [
        {"method": str(one.entry), "protocol": one.protocol, "metric": metric, "reason": reason}
        for one in scored
        for metric, reason in one.absent.items()
    ]
    warnings = [
        {"method": str(one.entry), "protocol": one.protocol, "text": text} for one in scored for text in one.warnings()
    ]
    for line in dict.fromkeys(f"{one['metric']} is absent: {one['reason']}" for one in absent):
        tell(f"WARNING: {line}")
    for one in warnings:
        tell(f"WARNING: {one['method']} under {one['protocol']}: {one['text']}")
    tables.write(_together([one.long for one in scored]), paths.scores() / method)
    tables.write(_together([one.summary for one in scored]), paths.scores() / f"{method}.summary")
    cards = _nested({(one.entry, one.protocol): one.card.told() for one in scored})
    about = {"format": FORMAT, "cards": cards, "absent": absent, "warnings": warnings, "cost": costs}
    write_json(paths.scores() / f"{method}.cards.json", about)
    write_json(paths.scores() / f"{method}.json", _nested({(one.entry, one.protocol): one.numbers() for one in scored}))


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table; an empty one of a method without entries."""
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"method": pd.Series(dtype=str)})


def _nested(flat: Mapping[tuple[Entry, str], Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (entry, protocol), value in flat.items():
        nested.setdefault(str(entry), {})[protocol] = value
    return nested
