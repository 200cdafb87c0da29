"""`plurifill benchmark METHOD`: the scores of the method's finished samples under every protocol of params.yaml.
`plurifill benchmark --results DIR ...`: the scores of results made elsewhere; no params.yaml is read.

Leaves in reports/scores/: <method>.parquet, every value of every sample; <method>.summary.parquet; <method>.cards.json,
the protocol cards, what is absent and why, warnings and cost; <method>.json, numbers for `dvc metrics`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer

from stages import inpainters, places, tables
from stages.contract import UserError
from stages.engine import device as devices
from stages.engine.fingerprint import of_values
from stages.engine.params import dig, read
from stages.engine.progress import tell
from stages.external import made as made_elsewhere
from stages.external.score import Folders, score_folder
from stages.metrics.view import Axes
from stages.samples import draws, store
from stages.samples.draws import Opened
from stages.samples.store import Finished
from stages.scoring import protocols
from stages.scoring.learnt import learnt
from stages.scoring.protocols import Protocol
from stages.scoring.results import FORMAT, Result, cost, results


def main(
    method: Annotated[str, typer.Argument(help="a method: a folder in stages/methods")] = "",
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1; default: cuda where there is one")] = "",
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
    made: Annotated[
        Path | None, typer.Option("--results", help="score this folder instead: KEY.png, or KEY/00.png, KEY/01.png ...")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="with --results: the whole images, KEY.png or .jpg ...")] = None,
    masks: Annotated[Path | None, typer.Option(help="with --results: the masks by name, or one for all")] = None,
    hole: Annotated[str, typer.Option(help="with --results: what a hole is in the masks: white or black")] = "",
    output_kind: Annotated[
        str, typer.Option(help="with --results: composited (known pixels are the image's) or raw (made anew)")
    ] = "",
    output: Annotated[Path | None, typer.Option(help="with --results: the folder for tables and page")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="with --results: only this metric; may be repeated")] = None,
) -> None:
    """Score the method's samples under every protocol of params.yaml, or a folder of results made elsewhere."""
    if made:
        folders = _declared(made, images, masks, hole, output_kind)
        if output is None:
            raise UserError("--results needs --output DIR, the folder for tables and page")
        for path in score_folder(folders, output, metric or (), device):
            print(path)
    elif method:
        _score_method(method, set_ or (), device, params)
    else:
        raise UserError("name a method, or a folder by --results")


def _declared(made: Path, images: Path | None, masks: Path | None, hole: str, kind: str) -> Folders:
    if images is None or masks is None:
        raise UserError(f"--results needs {'--images' if images is None else '--masks'} DIR")
    return Folders(made, images, masks, hole, kind)


def _score_method(method: str, overrides: Sequence[str], device: str, params: Path) -> None:
    values, on = read(params, overrides), devices.choose(device or None)
    chosen = protocols.read(values)
    rows = inpainters.names(values, method)
    drawn = list(dict.fromkeys(protocol.draw for protocol in chosen.values()))
    finished = {(row, draw): _finished(row, draw) for row in rows for draw in _draws(values, method, row, drawn)}
    scored = [one for (row, name), done in finished.items() for one in _score(values, row, name, done, chosen, on)]
    costs = [line for (row, _), done in finished.items() for line in cost(row, done)]
    _write(method, scored, costs)
    print(places.scores() / f"{method}.json")


def _draws(values: Mapping[str, Any], method: str, row: str, drawn: Sequence[str]) -> list[str]:
    """Those of the protocols' draws that the row has samples of: all, but for results made elsewhere."""
    there = made_elsewhere.covered(row, inpainters.params(values, method, row), list(dig(values, "draws")))
    return [draw for draw in drawn if draw in there]


def _finished(row: str, draw: str) -> Finished:
    return Finished.open(places.samples(row.partition("/")[0]) / draw / store.folder(row))


def _score(
    values: Mapping[str, Any],
    row: str,
    name: str,
    finished: Finished,
    chosen: Mapping[str, Protocol],
    device: torch.device,
) -> list[Result]:
    """One row's results under all protocols of one draw."""
    opened = draws.open_draw(name, draws.read(values, name), limit=len(finished.keys))
    here = {key: protocol for key, protocol in chosen.items() if protocol.draw == name}
    return list(results(row, opened, finished, here, _axes(opened, finished, device)))


def _axes(opened: Opened, finished: Finished, device: torch.device) -> Axes:
    """Real images' features are kept by the images' content, for all methods."""
    content = of_values({"dataset": opened.dataset.hash, "size": opened.dataset.spec.size, "keys": opened.keys})
    kept = places.progress("real", opened.dataset.name, content)
    return Axes(device, len(opened.keys), kept, learnt(finished.draw["trained_on"]))


def _write(method: str, scored: Sequence[Result], costs: Sequence[dict[str, Any]]) -> None:
    """The four files of a method's scores; what is absent or suspect is told, too."""
    absent = [
        {"method": one.row, "protocol": one.protocol, "metric": metric, "reason": reason}
        for one in scored
        for metric, reason in one.absent.items()
    ]
    warnings = [
        {"method": one.row, "protocol": one.protocol, "text": text} for one in scored for text in one.warnings()
    ]
    for line in dict.fromkeys(f"{row['metric']} is absent: {row['reason']}" for row in absent):
        tell(f"WARNING: {line}")
    for row in warnings:
        tell(f"WARNING: {row['method']} under {row['protocol']}: {row['text']}")
    tables.write(_together([one.long for one in scored]), places.scores() / method)
    tables.write(_together([one.summary for one in scored]), places.scores() / f"{method}.summary")
    cards = _nested({(one.row, one.protocol): one.card.told() for one in scored})
    about = {"format": FORMAT, "cards": cards, "absent": absent, "warnings": warnings, "cost": costs}
    _write_json(method + ".cards", about)
    _write_json(method, _nested({(one.row, one.protocol): one.numbers() for one in scored}))


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table; an empty one of a method without rows."""
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"method": pd.Series(dtype=str)})


def _nested(flat: Mapping[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (row, protocol), value in flat.items():
        nested.setdefault(row, {})[protocol] = value
    return nested


def _write_json(name: str, values: Mapping[str, Any]) -> None:
    store.write_atomically(places.scores() / f"{name}.json", json.dumps(values, indent=1).encode())
