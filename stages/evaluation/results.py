"""From a pass over a test set to what is reported of one entry under one protocol: tables, card, cost, warnings."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.evaluation import calibration, evaluator, scores
from stages.evaluation.asked import Asked
from stages.evaluation.evaluator import Scored
from stages.evaluation.passes import digests
from stages.evaluation.protocols import Card, Protocol
from stages.metrics.core import subsampling
from stages.metrics.core.contract import SetMetric, SubsetMetric
from stages.project.entries import Entry
from stages.sampling.store import Samples, SampleStore

FORMAT = 2  # of <method>.cards.json; raised when it, or the tables beside it, get what their readers need
COLLAPSED = 0.5  # share of images with identical samples from which a warning is due


@dataclass(frozen=True)
class Result:
    """One entry under one protocol; `absent` says why by metric."""

    entry: Entry
    protocol: str
    card: Card
    long: pd.DataFrame
    summary: pd.DataFrame
    absent: Mapping[str, str]

    def numbers(self) -> dict[str, float]:
        """The finite estimates by metric."""
        pairs = zip(self.summary["metric"].tolist(), self.summary["estimate"].tolist(), strict=True)
        return {metric: value for metric, value in pairs if math.isfinite(value)}

    def warnings(self) -> list[str]:
        """Samples that are no samples: the same picture K times."""
        share = self.numbers().get("collapsed", 0.0)
        text = f"the {self.card.samples} samples of {share:.0%} of the images are one and the same picture"
        return [text] if share >= COLLAPSED else []


def results(asked: Asked, kept: Path | None = None) -> Iterator[Result]:
    """All protocols of one test set; what parts have left in `kept` is taken over."""
    for shown, here in asked.passes():
        left = kept / shown.fingerprint() if kept and kept.is_dir() else None
        scored = evaluator.score(shown, left)
        yield from (result(asked.entry, name, protocol, asked.finished, scored) for name, protocol in here.items())


def result(entry: Entry, name: str, protocol: Protocol, finished: Samples, scored: Scored) -> Result:
    """What one protocol takes of its pass."""
    tables = [scored.tables[metric] for metric in (*protocol.metrics, evaluator.HOLE_RATIO) if metric in scored.tables]
    long = pd.concat(tables, ignore_index=True)
    about = card(protocol, finished, scored.too_few)
    sets_SN = torch.from_numpy(scores.sets(long, protocol.selection, finished.keys, about.samples))
    set_metrics = [scored.set_metrics[metric] for metric in protocol.metrics if metric in scored.set_metrics]
    whole = dict[str, tuple[float, float, float]]()
    for metric in set_metrics:
        whole |= set_level(metric, scored.rows, sets_SN, finished.sources)
    summary = scores.summarise(long, protocol.selection, whole | calibration.numbers(long), about.samples)
    summary["better"] = summary["metric"].map(evaluator.better(summary["metric"])).fillna("")
    absent = {metric: reason for metric, reason in scored.absent.items() if metric in protocol.metrics}
    told = {"method": str(entry), "protocol": name, "card": about.signature()}
    return Result(entry, name, about, _led_by(told, long), _led_by(told, summary), absent)


def set_level(
    metric: SetMetric, seen: Mapping[str, Tensor], sets_SN: Tensor, sources: Sequence[str]
) -> dict[str, tuple[float, float, float]]:
    """Estimate, low and high by name; the interval, from subsamples of the images, where the metric can be had so."""
    rows = {}
    for name, estimate in metric.whole(seen, sets_SN).items():
        low = high = math.nan
        if isinstance(metric, SubsetMetric):
            some = partial(_on_subset, metric, name, seen, sets_SN)
            low, high = subsampling.interval(some, estimate, sources)
        rows[name] = (estimate, low, high)
    return rows


def _on_subset(
    metric: SubsetMetric, name: str, seen: Mapping[str, Tensor], sets_SN: Tensor, images_M: NDArray[np.int64]
) -> float:
    return metric.among(seen, torch.from_numpy(images_M), sets_SN)[name]


def card(protocol: Protocol, finished: Samples, too_few: Collection[str] = ()) -> Card:
    """The card of a finished test set under a protocol; metrics that lack images (`too_few`) need no network."""
    told = finished.description
    return Card(
        dataset=told["dataset"],
        split=told["split"],
        split_hash=told["dataset_hash"],
        masks=told["masks"],
        mask_hash=told["mask_hash"],
        hole=f"{min(finished.holes):.2f}-{max(finished.holes):.2f}",
        images=told["images"],
        samples=told["samples"],
        selection=protocol.selection,
        composite=protocol.composite,
        size=told["size"],
        seed=told["seed"],
        metrics=protocol.metrics,
        weights=digests([name for name in protocol.metrics if name not in too_few]),
        trained_on=tuple(told["trained_on"]),
        loss_networks=tuple(told.get("loss_networks", ())),
        latents=told.get("latents", {}),
        lossy=told.get("lossy", False),
        raw="" if protocol.composite else told.get("raw", ""),
    )


def cost(entry: Entry, finished: SampleStore) -> list[dict[str, Any]]:
    """Seconds an image by phase: median and p95 of the calls after the warm-up, and the warm-up's own; joules a sample.

    Nothing for results made elsewhere: nothing was computed here.
    """
    if finished.latency.empty:
        return []
    told = {key: finished.description[key] for key in ("images", "samples", "device", "peak_memory_bytes", "no_joules")}
    told |= {"joules": joules(finished.latency), "hole": sum(finished.holes) / len(finished.holes)}
    rows = []
    for phase, calls in finished.latency.groupby("phase", sort=False):
        warm = calls["warm_up"].astype(bool)
        steady, first = calls.loc[~warm, "seconds"], calls.loc[warm, "seconds"]
        times = {"median": _quantile(steady, 0.5), "p95": _quantile(steady, 0.95), "warm_up": _quantile(first, 0.5)}
        rows.append({"method": str(entry), "testset": finished.description["testset"], "phase": phase, **times, **told})
    return rows


def joules(latency: pd.DataFrame) -> float | None:
    """A sample's, over all calls after the warm-up (a counter moves in steps, so that one call tells little)."""
    steady = latency[~latency["warm_up"].astype(bool) & latency["joules"].notna()]
    return float(steady["joules"].sum() / steady["samples"].sum()) if len(steady) else None


def _quantile(seconds: pd.Series, share: float) -> float | None:
    return float(seconds.quantile(share)) if len(seconds) else None


def _led_by(told: Mapping[str, str], frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**told)[[*told, *frame.columns]]
