"""A sweep's folder as a finished sweep leaves it, its scores chosen by the test."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.evaluation.protocols import Card
from stages.evaluation.scores import summarise
from stages.project import tables

CARD = Card(
    "toy", "test", "5" * 64, "centre", "a" * 64, "0.25-0.25", 40, 2, "all", True, 64, 0, ("psnr",), {}, ("toy",)
)
ALPHA = "methods.latent_codes.token_mask.alpha"


def finish(
    folder: Path,
    point: str,
    overrides: Mapping[str, Any],
    psnr: float,
    rows: Sequence[str] = ("latent_codes",),
    card: Card = CARD,
    commit: str = "c0ffee",
    trainings: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """A point whose images have a PSNR of `psnr` plus their own difficulty (of 8 dB), plus noise of 0.2 dB."""
    long = pd.concat([_long(row, psnr, card) for row in rows], ignore_index=True)
    summary = pd.concat([_summary(own, card) for _, own in long.groupby("method", sort=False)], ignore_index=True)
    tables.write(long.assign(point=point), folder / point)
    tables.write(summary.assign(point=point), folder / f"{point}.summary")
    note = {"sweep": folder.name, "point": point, "overrides": dict(overrides), "commit": commit}
    note |= {"experiment": f"exp-{point}", "seconds": 2.5, "methods": ["latent_codes"]}
    note |= {"trainings": trainings} if trainings else {}
    (folder / f"{point}.json").write_text(json.dumps(note))


def give_up(folder: Path, point: str, overrides: Mapping[str, Any], step: int, value: float) -> None:
    """A point that its search stopped, by a curve of the vq."""
    stop = {"part": "vq", "curve": "lpips", "after": 100, "better": "lower", "factor": 3}
    note = {"sweep": folder.name, "point": point, "overrides": dict(overrides), "commit": "c0ffee"}
    note |= {"search": {"stop": stop}, "step": step, "value": value, "curve": [[step, value]]}
    (folder / "stopped").mkdir(parents=True, exist_ok=True)
    (folder / "stopped" / f"{point}.json").write_text(json.dumps(note))


def keep(
    folder: Path, point: str, latents: Mapping[str, str], entry: str = "latent_codes", testset: str = "centre"
) -> None:
    """What a point's export tells of an entry: no pictures, and digests of what it drew before pixels."""
    place = folder / f"{point}.pictures" / entry / testset / "plain.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"entry": entry, "testset": testset, **({"latents": latents} if latents else {})}))


def _long(row: str, psnr: float, card: Card) -> pd.DataFrame:
    images, samples = range(card.images), range(card.samples)
    rng, hard = np.random.default_rng([len(row), int(psnr * 1000)]), np.random.default_rng(0).normal(0, 8, card.images)
    told = {"method": row, "protocol": "centre", "card": card.signature()}
    values = [
        {**told, "image": f"i{i:02d}", "source": f"s{i // 2}", "k": k, "metric": "psnr"}
        for i in images
        for k in samples
    ]
    noise = rng.normal(0, 0.2, len(values))
    return pd.DataFrame(values).assign(value=psnr + np.repeat(hard, card.samples) + noise)


def _summary(long: pd.DataFrame, card: Card) -> pd.DataFrame:
    summary = summarise(long, card.selection, {"fd_alexnet": (12.0, np.nan, np.nan)}, card.samples)
    told = {name: long[name].iloc[0] for name in ("method", "protocol", "card")}
    better = summary["metric"].map({"psnr": "higher", "fd_alexnet": "lower"})
    return summary.assign(**told, better=better)[[*told, *summary.columns, "better"]]
