"""The scores of a pass: each image is decoded once and shown to all metrics, at once or share by share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.evaluation import kept as keeping
from stages.evaluation.passes import Pass
from stages.evaluation.scores import WHOLE_IMAGE
from stages.evaluation.seen import Seen, Told, Value
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, Better, Metric, MetricContext, SetMetric, TooFewError
from stages.metrics.core.lookup import module
from stages.project.progress import tell
from stages.sampling.shares import Share
from stages.sampling.store import Samples

HOLE_RATIO = "hole_ratio"  # a value of every image, without a metric: the share of it that is missing


@dataclass(frozen=True)
class Scored:
    """By metric of the pass: its values (columns image, source, k, metric, value), or itself where set-level.

    `tables` has HOLE_RATIO, too; `rows` is what set-level metrics were told of all images; `absent` says why a metric
    could not be had, `too_few` which for lack of images.
    """

    tables: dict[str, pd.DataFrame]
    set_metrics: dict[str, SetMetric]
    rows: dict[str, Tensor]
    absent: dict[str, str]
    too_few: frozenset[str]


def score(shown: Pass, kept: Path | None = None) -> Scored:
    """All metrics of a pass; what shares of it left in `kept` is not computed again."""
    metrics, absent = _build(shown.names, shown.context)
    seen, rows, start, taken = Seen(len(shown.finished.keys)), _row_names(metrics), 0, 0
    for number, piece in enumerate(pieces := shown.pieces()):
        told = keeping.read(kept, number, rows) if kept else None
        taken += told is not None
        seen.put(start, told or _told(metrics, shown.batches(piece)))
        start += len(piece)
    if taken:
        tell(f"{taken}/{len(pieces)} pieces taken over from parts")
    too_few = frozenset(name for name, reason in absent.items() if isinstance(reason, TooFewError))
    reasons = {name: str(reason) for name, reason in absent.items()}
    tensors = {name: torch.from_numpy(row_N) for name, row_N in seen.rows.items()}
    return Scored(_tables(seen, shown.finished), set_metrics(metrics), tensors, reasons, too_few)


def score_share(shown: Pass, share: Share, kept: Path) -> None:
    """What the metrics tell of a share of the pass, left in `kept` for `score`."""
    metrics, _ = _build(shown.names, shown.context)
    own = [(number, piece) for number, piece in enumerate(shown.pieces()) if share.has(number)]
    for done, (number, piece) in enumerate(own, start=1):
        if keeping.read(kept, number, _row_names(metrics)) is None:
            keeping.write(kept, number, _told(metrics, shown.batches(piece)))
        tell(f"{done}/{len(own)} pieces of part {share}")


def set_metrics(metrics: Mapping[str, Metric]) -> dict[str, SetMetric]:
    """Those of the whole set."""
    return {name: metric for name, metric in metrics.items() if isinstance(metric, SetMetric)}


def _row_names(metrics: Mapping[str, Metric]) -> set[str]:
    return {name for metric in set_metrics(metrics).values() for name in metric.rows}


@torch.inference_mode()
def _told(metrics: Mapping[str, Metric], batches: Iterable[EvalBatch]) -> Told:
    """What the metrics tell of some images, whose completions come in one batch or in several."""
    scores, rows = defaultdict[Value, list[NDArray[np.float64]]](list), dict[str, NDArray[Any]]()
    whole = set_metrics(metrics)
    for batch in batches:
        for name, metric in metrics.items():
            told = {value: tensor.cpu() for value, tensor in metric(batch).items()}
            if name in whole:
                rows |= {row: row_B.numpy() for row, row_B in told.items()}
            else:
                for value, value_B in told.items():
                    scores[name, value].append(value_B.double().numpy())
    return Told({name: np.concatenate(some, axis=-1) for name, some in scores.items()}, rows)


def _build(names: Sequence[str], context: MetricContext) -> tuple[dict[str, Metric], dict[str, AbsentError]]:
    metrics: dict[str, Metric] = {}
    absent: dict[str, AbsentError] = {}
    for name in names:
        try:
            metrics[name] = module(name).build(context, name)
        except AbsentError as reason:
            absent[name] = reason
    return metrics, absent


def _tables(seen: Seen, finished: Samples) -> dict[str, pd.DataFrame]:
    """The rows of every metric that gave some, and the holes', each with its image's source."""
    frames = defaultdict[str, list[pd.DataFrame]](list)
    for (metric, name), value_N in seen.scores.items():
        frames[metric].append(_rows(name, value_N, finished.keys))
    tables = {metric: pd.concat(some, ignore_index=True) for metric, some in frames.items()}
    tables[HOLE_RATIO] = _rows(HOLE_RATIO, np.array(finished.holes), finished.keys)
    sources = dict(zip(finished.keys, finished.sources, strict=True))
    for frame in tables.values():
        frame.insert(1, "source", frame["image"].map(sources))
    return tables


def _rows(name: str, value_N: NDArray[np.float64], keys: Sequence[str]) -> pd.DataFrame:
    """(N, K): a row an image and sample; (N,): a row an image."""
    if value_N.ndim == 1:
        return pd.DataFrame({"image": keys, "k": WHOLE_IMAGE, "metric": name, "value": value_N})
    samples = value_N.shape[1]
    ks = np.tile(np.arange(samples), len(keys))
    return pd.DataFrame({"image": np.repeat(keys, samples), "k": ks, "metric": name, "value": value_N.ravel()})


def better(values: Iterable[str]) -> dict[str, Better]:
    """Which way is better, by the name of a value: "higher", "lower", or "" for neither."""
    return {value: module(value).BETTER for value in values if value != HOLE_RATIO}
