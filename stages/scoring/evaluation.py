"""One pass over a draw's images: each is decoded once, and shown to all metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages import weights
from stages.contract import UserError
from stages.images.pixels import composite, to_float
from stages.metrics.view import AbsentError, Axes, Metric, OverSet, TooFewError, View
from stages.samples.draws import Opened
from stages.samples.sampling import chunks
from stages.samples.store import Samples
from stages.scoring.scores import WHOLE_IMAGE

COMPLETIONS = 64  # in a view: bounds memory, whatever K is; no score depends on it


@dataclass(frozen=True)
class Scored:
    """By metric of the pass: its values (columns image, source, k, metric, value), or itself where set-level.

    `tables` has hole_ratio, too; `absent` says why a metric could not be had, `few` which for lack of images.
    """

    tables: dict[str, pd.DataFrame]
    over_set: dict[str, OverSet]
    absent: dict[str, str]
    few: frozenset[str]


def module(name: str) -> ModuleType:
    """`stages.metrics.<the metric's first words>`: as many of them as there is a file for."""
    words = name.split("_")
    for count in range(len(words), 0, -1):
        place = f"stages.metrics.{'_'.join(words[:count])}"
        if find_spec(place) is not None and hasattr(import_module(place), "build"):
            return import_module(place)
    raise UserError(f"params: there is no metric {name}; a metric is a file in stages/metrics")


def digests(names: Sequence[str]) -> dict[str, str]:
    """The digest of every network that the metrics need, by network; "absent" where it cannot be had."""
    needed = {module(name).needs(name) for name in names if hasattr(module(name), "needs")}
    return {network: weights.digest(network) for network in sorted(needed - {None})}


def score(finished: Samples, opened: Opened, judge_composited: bool, names: Sequence[str], axes: Axes) -> Scored:
    """All metrics of `names` over a finished draw."""
    metrics, reasons = _build(names, axes)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in metrics}
    with torch.inference_mode():
        for keys, view in views(finished, opened, judge_composited, axes.device):
            for name, metric in metrics.items():
                parts[name] += [_rows(label, value, keys, view.first) for label, value in metric(view).items()]
    holes = {"image": finished.keys, "k": WHOLE_IMAGE, "metric": "hole_ratio", "value": finished.holes}
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items() if frames}
    tables["hole_ratio"] = pd.DataFrame(holes)
    sources = dict(zip(finished.keys, finished.sources, strict=True))
    for frame in tables.values():
        frame.insert(1, "source", frame["image"].map(sources))
    over_set = {name: metric for name, metric in metrics.items() if isinstance(metric, OverSet)}
    few = frozenset(name for name, reason in reasons.items() if isinstance(reason, TooFewError))
    return Scored(tables, over_set, {name: str(reason) for name, reason in reasons.items()}, few)


def views(
    finished: Samples, opened: Opened, judge_composited: bool, device: torch.device
) -> Iterator[tuple[list[str], View]]:
    """The draw in order: several images with all their completions, or one image in several views."""
    positions = {key: i for key, i in zip(opened.keys, opened.chosen, strict=True)}
    total = opened.draw.samples
    for keys in chunks(finished.keys, max(1, COMPLETIONS // total)):
        image_BCHW = to_float(np.stack([opened.dataset.image(positions[key]) for key in keys])).to(device)
        hole_BHW = np.stack([opened.masks.hole(key) for key in keys])
        known_B1HW = torch.from_numpy(~hole_BHW)[:, None].to(device, torch.float32)
        raw_BKHWC = np.stack([finished.raw_KHWC(key) for key in keys])
        for first in range(0, total, COMPLETIONS):
            some_BKHWC = raw_BKHWC[:, first : first + COMPLETIONS]
            raw_RCHW = to_float(some_BKHWC.reshape(-1, *some_BKHWC.shape[2:])).to(device)
            raw_BKCHW = judged_BKCHW = raw_RCHW.unflatten(0, some_BKHWC.shape[:2])
            if judge_composited:
                judged_BKCHW = composite(raw_BKCHW, image_BCHW[:, None], known_B1HW[:, None])
            yield list(keys), View(image_BCHW, known_B1HW, raw_BKCHW, judged_BKCHW, first, total)


def _build(names: Sequence[str], axes: Axes) -> tuple[dict[str, Metric], dict[str, AbsentError]]:
    metrics: dict[str, Metric] = {}
    absent: dict[str, AbsentError] = {}
    for name in names:
        try:
            metrics[name] = module(name).build(axes, name)
        except AbsentError as reason:
            absent[name] = reason
    return metrics, absent


def _rows(name: str, value: Tensor, keys: Sequence[str], first: int) -> pd.DataFrame:
    """(B, K): a row an image and sample; (B,): a row an image."""
    plain = value.double().cpu().numpy()
    if plain.ndim == 1:
        return pd.DataFrame({"image": keys, "k": WHOLE_IMAGE, "metric": name, "value": plain})
    samples = plain.shape[1]
    ks = np.tile(np.arange(first, first + samples), len(keys))
    return pd.DataFrame({"image": np.repeat(keys, samples), "k": ks, "metric": name, "value": plain.ravel()})


def better(labels: Iterable[str]) -> dict[str, str]:
    """Which way is better, by the name of a value: "higher", "lower", or "" for neither."""
    return {label: module(label).BETTER for label in labels if label != "hole_ratio"}
