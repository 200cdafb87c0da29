"""One pass over a test set's images: each is decoded once, and shown to all metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages.evaluation.scores import WHOLE_IMAGE
from stages.images.pixels import composite, to_float
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, Better, Metric, MetricContext, SetMetric, TooFewError
from stages.metrics.core.lookup import module
from stages.project import weights
from stages.sampling.sampler import chunks
from stages.sampling.store import Samples
from stages.sampling.testsets import TestSet

HOLE_RATIO = "hole_ratio"  # a value of every image, without a metric: the share of it that is missing
COMPLETIONS = 64  # in a batch: bounds memory, whatever K is; no score depends on it


@dataclass(frozen=True)
class Scored:
    """By metric of the pass: its values (columns image, source, k, metric, value), or itself where set-level.

    `tables` has HOLE_RATIO, too; `absent` says why a metric could not be had, `too_few` which for lack of images.
    """

    tables: dict[str, pd.DataFrame]
    set_metrics: dict[str, SetMetric]
    absent: dict[str, str]
    too_few: frozenset[str]


def digests(names: Sequence[str]) -> dict[str, str]:
    """The digest of every network that the metrics need, by network; "absent" where it cannot be had."""
    needed = {module(name).needs(name) for name in names}
    return {network: weights.digest(network) for network in sorted(network for network in needed if network)}


def score(
    finished: Samples, testset: TestSet, judge_composited: bool, names: Sequence[str], context: MetricContext
) -> Scored:
    """All metrics of `names` over a finished test set."""
    metrics, absent = _build(names, context)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in metrics}
    with torch.inference_mode():
        for keys, batch in batches(finished, testset, judge_composited, context.device):
            for name, metric in metrics.items():
                parts[name] += [_rows(told, value, keys, batch.first) for told, value in metric(batch).items()]
    set_metrics = {name: metric for name, metric in metrics.items() if isinstance(metric, SetMetric)}
    too_few = frozenset(name for name, reason in absent.items() if isinstance(reason, TooFewError))
    return Scored(
        _tables(parts, finished), set_metrics, {name: str(reason) for name, reason in absent.items()}, too_few
    )


def batches(
    finished: Samples, testset: TestSet, judge_composited: bool, device: torch.device
) -> Iterator[tuple[list[str], EvalBatch]]:
    """The testset in order: several images with all their completions, or one image in several batches."""
    positions = {key: i for key, i in zip(testset.keys, testset.chosen, strict=True)}
    total = testset.params.samples
    for keys in chunks(finished.keys, max(1, COMPLETIONS // total)):
        image_BCHW = to_float(np.stack([testset.dataset.image(positions[key]) for key in keys])).to(device)
        hole_BHW = np.stack([testset.masks.hole(key) for key in keys])
        known_B1HW = torch.from_numpy(~hole_BHW)[:, None].to(device, torch.float32)
        raw_BKHWC = np.stack([finished.raw_KHWC(key) for key in keys])
        for first in range(0, total, COMPLETIONS):
            some_BKHWC = raw_BKHWC[:, first : first + COMPLETIONS]
            raw_RCHW = to_float(some_BKHWC.reshape(-1, *some_BKHWC.shape[2:])).to(device)
            raw_BKCHW = judged_BKCHW = raw_RCHW.unflatten(0, some_BKHWC.shape[:2])
            if judge_composited:
                judged_BKCHW = composite(raw_BKCHW, image_BCHW[:, None], known_B1HW[:, None])
            yield list(keys), EvalBatch(image_BCHW, known_B1HW, raw_BKCHW, judged_BKCHW, first, total)


def _build(names: Sequence[str], context: MetricContext) -> tuple[dict[str, Metric], dict[str, AbsentError]]:
    metrics: dict[str, Metric] = {}
    absent: dict[str, AbsentError] = {}
    for name in names:
        try:
            metrics[name] = module(name).build(context, name)
        except AbsentError as reason:
            absent[name] = reason
    return metrics, absent


def _tables(parts: Mapping[str, list[pd.DataFrame]], finished: Samples) -> dict[str, pd.DataFrame]:
    """The rows of every metric that gave some, and the holes', each with its image's source."""
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items() if frames}
    holes = {"image": finished.keys, "k": WHOLE_IMAGE, "metric": HOLE_RATIO, "value": finished.holes}
    tables[HOLE_RATIO] = pd.DataFrame(holes)
    sources = dict(zip(finished.keys, finished.sources, strict=True))
    for frame in tables.values():
        frame.insert(1, "source", frame["image"].map(sources))
    return tables


def _rows(name: str, value: Tensor, keys: Sequence[str], first: int) -> pd.DataFrame:
    """(B, K): a row an image and sample; (B,): a row an image."""
    plain = value.double().cpu().numpy()
    if plain.ndim == 1:
        return pd.DataFrame({"image": keys, "k": WHOLE_IMAGE, "metric": name, "value": plain})
    samples = plain.shape[1]
    ks = np.tile(np.arange(first, first + samples), len(keys))
    return pd.DataFrame({"image": np.repeat(keys, samples), "k": ks, "metric": name, "value": plain.ravel()})


def better(values: Iterable[str]) -> dict[str, Better]:
    """Which way is better, by the name of a value: "higher", "lower", or "" for neither."""
    return {value: module(value).BETTER for value in values if value != HOLE_RATIO}
