"""What a metric is: the module that every file of `stages.metrics` is, what it is built from, and what it builds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.label import Label

Better = Literal["higher", "lower", ""]  # "": neither


class AbsentError(Exception):
    """Why a metric cannot be had here, in one line; it is then absent, and never replaced by another."""


class TooFewError(AbsentError):
    """Fewer images or samples than the number is defined for: nobody need look for its network."""


@dataclass(frozen=True)
class TrainingImages:
    """Training images of a method, in [-1, 1], a batch at a time; their features are kept in `place`."""

    place: Path
    batches: Callable[[], Iterator[Tensor]]


@dataclass(frozen=True)
class MetricContext:
    """What a metric is built from: the device, how many images it will see, and where their real features are kept.

    `training_images`: None where nothing was trained, or nobody knows on what. `side`: the images' smaller side, px.
    `samples`: of an image. None where it is not known: nothing is then refused for it.
    """

    device: torch.device
    images: int
    real: Path | None = None
    training_images: TrainingImages | None = None
    side: int | None = None
    samples: int | None = None


class Metric(Protocol):
    """Batch -> values by name: (B, K) a completion each, or (B,) an image each, given when its last batch is seen."""

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]: ...


@runtime_checkable
class SetMetric(Protocol):
    """A metric of the whole set (FD): tells what it needs of every image, then gives its numbers from that of all.

    Called with an image's last batch it gives `rows` by name, (B, ...), one an image: of one name the same, whichever
    metric gives them, so that they are kept once, and may come from several processes. It keeps nothing of an image
    itself. `seen` are the rows of all images. Each set in `sets_SN` names one completion an image (S = K for all
    samples, 1 for a selected one), images in the order of the rows.
    """

    @property
    def rows(self) -> Collection[str]: ...

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]: ...

    def whole(self, seen: Mapping[str, Tensor], sets_SN: Tensor) -> Mapping[str, float]: ...


@runtime_checkable
class SubsetMetric(Protocol):
    """A metric of the whole set that can also be had on some of its images: what an interval is made from."""

    def among(self, seen: Mapping[str, Tensor], images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Default:
    """A metric that results are scored by where nobody names metrics, and when: from how many images and how many
    samples an image, and whether for raw results alone (known pixels of others are the image's anyway).
    """

    metric: str
    images: int = 0
    samples: int = 1
    raw: bool = False


@runtime_checkable
class MetricModule(Protocol):
    """A file of `stages.metrics`: one metric, or a family of them, whose names begin with the file's name.

    NAMES: the metrics that a protocol may name, each variant once (the docstring tells how others are named).
    BETTER: which way is better, for all of its values.
    LABELS: by the first words of a value's name, what it is called (`stages.metrics.core.label.label`).
    DEFAULTS: which of them score results where nobody names metrics.
    """

    @property
    def NAMES(self) -> tuple[str, ...]: ...

    @property
    def BETTER(self) -> Better: ...

    @property
    def LABELS(self) -> Mapping[str, Label]: ...

    @property
    def DEFAULTS(self) -> tuple[Default, ...]: ...

    def needs(self, name: str, /) -> str | None:
        """The weights that the metric `name` needs, a key of `weights.TABLE`; None: none."""
        ...

    def build(self, context: MetricContext, name: str, /) -> Metric:
        """The metric `name`. AbsentError: it cannot be had here; UserError: it is no metric of this module."""
        ...


def require_images(name: str, least: int, context: MetricContext, why: str = "") -> None:
    """TooFewError unless there are at least so many images."""
    if context.images < least:
        raise TooFewError(f"{name} needs at least {least} images{why and f' ({why})'}, and here are {context.images}")


def require_samples(name: str, least: int, context: MetricContext) -> None:
    """TooFewError unless an image has at least so many samples."""
    if context.samples is not None and context.samples < least:
        raise TooFewError(f"{name} needs at least {least} samples an image, and here are {context.samples}")


def require_side(name: str, least: int, context: MetricContext) -> None:
    """AbsentError for images that the metric's network or window does not fit into."""
    if context.side is not None and context.side < least:
        raise AbsentError(f"{name} needs images of at least {least} px a side, and these have {context.side}")
