"""`plurifill sample METHOD`: the method's completions of every draw in params.yaml, every variant a row of its own.

Run again to go on: finished pieces are taken over, damaged ones made again. Everything lies in progress, outside
DVC's outs, until all draws of the method are complete; then it is published at once in data/samples/<method>/.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from stages import inpainters, places
from stages.contract import Params, UserError
from stages.engine import device as devices
from stages.engine import fingerprint, lock
from stages.engine.params import dig, read
from stages.engine.release import read_config
from stages.external import made
from stages.external.made import Shelf
from stages.samples import draws, store
from stages.samples.draws import Opened
from stages.samples.sampling import Sampler, Work, fill

PATIENCE_S = 5.0  # for another process on the same samples to end


def main(
    method: Annotated[str, typer.Argument(help="a method: a folder in stages/methods")],
    set_: Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")] = None,
    limit: Annotated[int, typer.Option(min=0, help="the first so many images of each draw; 0: all")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1; default: cuda where there is one")] = "",
    batch_size: Annotated[int, typer.Option(min=0, help="images at once; 0: a piece (64 completions)")] = 0,
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
) -> None:
    """Draw the method's completions for every draw of params.yaml; run again to go on."""
    values = read(params, set_ or ())
    opened = [draws.open_draw(name, draws.read(values, name), limit or None) for name in dig(values, "draws")]
    on = devices.choose(device or None)
    work = [(one, description) for one, description in _works(values, method, opened, on, batch_size)]
    for one, description in work:
        _take_back(one, description["fingerprint"])
        busy = f"{one.place}: another process draws these samples; wait for it, or stop it"
        with lock.held(one.place.with_suffix(".lock"), PATIENCE_S, busy):
            fill(one, description)
    _publish(method, [one for one, _ in work])


def _works(
    values: Mapping[str, Any], method: str, opened: list[Opened], device: torch.device, batch: int
) -> Iterator[tuple[Work, dict[str, Any]]]:
    """Every row on every draw, with what is told about it; nothing is loaded yet."""
    parents, draws_there = _parents(method), [one.name for one in opened]
    for row in inpainters.names(values, method):
        params = inpainters.params(values, method, row)
        covered = made.covered(row, params, draws_there)
        sampler = Sampler(partial(inpainters.load, values, method, row, device), device, batch)
        for one in (one for one in opened if one.name in covered):
            _refuse_other_size(method, parents, one)
            shelf = made.shelf(row, params, one)
            description = _description(row, one, params, parents, shelf)
            place = places.progress(method, "samples", description["fingerprint"])
            told = {**description, "device": devices.hardware(device), "torch": torch.__version__}
            yield Work(one, row, sampler, place, shelf), told


def _parents(method: str) -> dict[str, dict[str, Any]]:
    """The trained parts' config.json by part."""
    return {part: read_config(places.model(method, part)) for part in inpainters.module(method).PARENTS}


def _refuse_other_size(method: str, parents: Mapping[str, Mapping[str, Any]], opened: Opened) -> None:
    size = opened.dataset.spec.size
    for part, config in parents.items():
        if config["spec"]["size"] != size:
            trained = config["spec"]["size"]
            raise UserError(
                f"draws.{opened.name}: {opened.dataset.name} is {size} px, {method}@{part} knows {trained} px"
            )


def _description(
    row: str, opened: Opened, params: Params, parents: Mapping[str, Mapping[str, Any]], shelf: Shelf | None
) -> dict[str, Any]:
    method = row.partition("/")[0]
    told = {
        "row": row,
        "method": method,
        "folder": store.folder(row),
        **opened.identity(),
        "params": params.model_dump(mode="json"),
        "parents": {part: config["sha256"] for part, config in parents.items()},
        "trained_on": sorted({config["dataset"]["name"] for config in parents.values()}),
    }
    told |= {"results": shelf.digest} if shelf else {}
    return {**told, "fingerprint": fingerprint.of_values(told)}


def _take_back(work: Work, mark: str) -> None:
    """Samples of this very configuration that were published earlier go on from there."""
    published = _published(work)
    if work.place.exists() or not (published / "draw.json").is_file():
        return
    if store.Finished.open(published).draw["fingerprint"] == mark:
        _copy(published, work.place)


def _publish(method: str, works: list[Work]) -> None:
    """Links first, the progress folders go last: whenever this is killed, nothing drawn is lost."""
    shutil.rmtree(places.samples(method), ignore_errors=True)
    places.samples(method).mkdir(parents=True)  # though a method may have no row (external, by default)
    for work in works:
        _copy(work.place, _published(work))
    for work in works:
        shutil.rmtree(work.place)
        print(_published(work))


def _published(work: Work) -> Path:
    return places.samples(work.row.partition("/")[0]) / work.opened.name / store.folder(work.row)


def _copy(source: Path, target: Path) -> None:
    """A copy that shares the files' bytes where the file system can; files are only ever replaced, never changed."""

    def link(old: str, new: str) -> None:
        try:
            Path(new).hardlink_to(old)
        except OSError:  # a file system without hard links, or two of them
            shutil.copy2(old, new)

    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, copy_function=link)
    part.rename(target)
