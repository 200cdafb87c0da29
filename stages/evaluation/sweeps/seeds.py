"""Trainings that differ by their seed alone, taken together: the mean of a score, and its spread over the seeds."""

from __future__ import annotations

import pandas as pd

from stages.evaluation.sweeps.points import Point, Sweep

METHODS, SEED = "methods.", ".seed"  # a training's seed: methods.latent_codes.prior.loop.seed
SPREADS = ("std_images", "std_samples")  # of a summary; one of a set-level metric has neither


def others(sweep: Sweep) -> tuple[str, ...]:
    """The varied keys that are no seeds: points that agree in these differ by seeds alone."""
    return tuple(key for key in sweep.varied if not (key.startswith(METHODS) and key.endswith(SEED)))


def vary(sweep: Sweep) -> bool:
    """Whether points differ by a seed."""
    return len(others(sweep)) < len(sweep.varied)


def groups(sweep: Sweep) -> dict[tuple[str, ...], list[Point]]:
    """The points by their other values' text, in the sweep's order: those of one group differ by seeds alone."""
    keys, found = others(sweep), dict[tuple[str, ...], list[Point]]()
    for point in sweep.points:
        found.setdefault(tuple(map(point.text, keys)), []).append(point)
    return found


def together(sweep: Sweep, curve: pd.DataFrame) -> pd.DataFrame:
    """The sweep's `comparison.curve` without seeds: a row an entry, protocol, metric and combination of other values.

    `estimate` is the mean over the combination's trainings, `std_seeds` their standard deviation (NaN of one), `low`
    and `high` lie that far from the mean; `trainings` counts them, `values` has the other keys' values as text.
    """
    told = {point.name: values for values, own in groups(sweep).items() for point in own}
    columns = list(dict.fromkeys([*curve.columns, *SPREADS]))
    own = curve.reindex(columns=columns).assign(values=curve["point"].map(told))
    means = {name: (name, "mean") for name in ("estimate", *SPREADS)}
    first = {name: (name, "first") for name in ("better", *others(sweep))}
    found = own.astype(dict.fromkeys(SPREADS, float)).groupby(["method", "protocol", "metric", "values"], sort=False)
    rows = found.agg(trainings=("estimate", "size"), std_seeds=("estimate", "std"), **means, **first).reset_index()
    ends = {"low": rows["estimate"] - rows["std_seeds"], "high": rows["estimate"] + rows["std_seeds"]}
    return rows.assign(**ends)
