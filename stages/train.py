"""`plurifill train METHOD [PART]`: train one part, or all parts of a method, parents first; run again to go on.

State in progress lies under a fingerprint of everything that the result depends on, outside DVC's outs; a finished
part is published at once in data/models/<method>/<part>/, and its state in progress goes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from stages.cli import options
from stages.contract import UserError
from stages.project import devices, signals
from stages.project.params import read, validate
from stages.tracking.store import TrackParams
from stages.training import dry_run, parts
from stages.training.distributed import joined
from stages.training.parts import Plan
from stages.training.session import TrainingSession


def main(
    method: options.Method,
    part: Annotated[str, typer.Argument(help="one part of it; none: all, parents first")] = "",
    set_: options.Set = None,
    dataset: Annotated[str, typer.Option(help="a block of datasets; default: the part's own, else data.dataset")] = "",
    device: options.Device = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="tell parameters, counts, shapes and work; train nothing")
    ] = False,
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Train one part of a method, or all of them; run the same command again to go on where it stopped."""
    values = read(params, set_ or ())
    names = [part] if part else parts.order(values, method)
    if not names:
        raise UserError(f"{method}: it has no part that learns; sample it at once (plurifill sample {method})")
    plans = [parts.plan(values, method, name, dataset or None) for name in names]
    if dry_run:
        print("\n\n".join(_sketch(values, plan, dataset) for plan in plans))
        return
    track = validate(TrackParams, values.get("track", {}), "track")
    signals.end_with_dvc()
    on = devices.choose(device)
    try:
        with joined(on) as ranks:
            for plan in plans:
                TrainingSession.of(plan, on, ranks).run(track)
    except signals.Interrupted as stop:
        print(f"plurifill train: {stop}", file=sys.stderr)
        sys.exit(stop.code)


def _sketch(values: Mapping[str, Any], plan: Plan, dataset: str) -> str:
    """What training the part would be; needs neither data nor parents."""
    return dry_run.describe(plan, parts.family(values, plan, dataset or None), parts.spec(values, plan))
