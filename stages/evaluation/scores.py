"""The long table of scores (a value per image, sample and metric) and its summary under a selection.

Columns of the long table: method, protocol, card, image, source, k (-1: the whole image), metric, value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.evaluation.protocols import Selection
from stages.evaluation.statistics import interval

WHOLE_IMAGE = -1  # k of a value that belongs to an image, not to one of its samples


def best(long: pd.DataFrame) -> pd.Series:
    """k of the sample of highest PSNR, by image (the first one of equals)."""
    psnr = long[long["metric"] == "psnr"].sort_values(["image", "k"], kind="stable")
    return psnr.loc[psnr.groupby("image", sort=False)["value"].idxmax()].set_index("image")["k"]


def per_image(long: pd.DataFrame, metric: str, selection: Selection) -> pd.DataFrame:
    """One value an image (index: image; columns: source, value) of one protocol's long table under a selection."""
    rows = long[long["metric"] == metric]
    if (rows["k"] != WHOLE_IMAGE).any() and selection != "all":
        chosen = rows["image"].map(best(long)) if selection == "best_of_k" else 0
        rows = rows[rows["k"] == chosen]
    grouped = rows.groupby("image", sort=False)
    return pd.DataFrame({"source": grouped["source"].first(), "value": grouped["value"].mean()})


def sets(long: pd.DataFrame, selection: Selection, images: Sequence[str], samples: int) -> NDArray[np.int64]:
    """sets_SN of a set-level metric: each row names one completion an image (all: K rows; else one)."""
    if selection == "best_of_k":
        return best(long).loc[list(images)].to_numpy(copy=True)[None]
    count = samples if selection == "all" else 1
    return np.repeat(np.arange(count)[:, None], len(images), axis=1)


def spread(long: pd.DataFrame, metric: str, selection: Selection) -> dict[str, float]:
    """std_images and std_samples: how much images differ, and how much the samples of one image (one-way analysis).

    The variance of the images' means holds 1 / K of the samples': it is taken off, and 0 at least is left. NaN where
    one sample an image enters, which tells neither.
    """
    rows = long[(long["metric"] == metric) & (long["k"] != WHOLE_IMAGE)]
    grouped = rows.groupby("image", sort=False)["value"]
    samples = len(rows) / max(1, rows["image"].nunique())
    if selection != "all" or samples < 2:
        return {"std_images": np.nan, "std_samples": np.nan}
    within = float(grouped.var(ddof=1).mean())
    between = float(grouped.mean().var(ddof=1)) - within / samples
    return {"std_images": max(0.0, between) ** 0.5, "std_samples": within**0.5}


def summarise(
    long: pd.DataFrame, selection: Selection, whole: Mapping[str, tuple[float, float, float]], samples: int
) -> pd.DataFrame:
    """A row a metric: estimate, low, high, std, n, sources, std_images, std_samples, k.

    `whole`: (estimate, low, high) of set-level metrics.
    """
    rows = []
    for metric in long["metric"].unique():
        values = per_image(long, metric, selection)
        told = asdict(interval(values["value"], values["source"].tolist()))
        rows.append({"metric": metric, **told, **spread(long, metric, selection)})
    images, sources = long["image"].nunique(), long["source"].nunique()
    for metric, numbers in whole.items():
        bounds = dict(zip(("estimate", "low", "high"), numbers, strict=True))
        unknown = dict.fromkeys(("std", "std_images", "std_samples"), np.nan)
        rows.append({"metric": metric, **bounds, **unknown, "n": images, "clusters": sources})
    entering = 1 if selection == "first" else samples
    return pd.DataFrame(rows).rename(columns={"clusters": "sources"}).assign(k=entering)
