"""What a metric is shown: images with (some of) their completions, decoded once for all metrics.

Axes: B images, K completions an image, C channels, H rows, W columns. Images are in [-1, 1], on the uint8 grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


class AbsentError(Exception):
    """Why a metric cannot be had here, in one line; it is then absent, and never replaced by another."""


class TooFewError(AbsentError):
    """Fewer images than the number is defined for: nobody need look for its network."""


@dataclass(frozen=True)
class Learnt:
    """Training images of a method, in [-1, 1], a batch at a time; their features are kept in `place`."""

    place: Path
    batches: Callable[[], Iterator[Tensor]]


@dataclass(frozen=True)
class Axes:
    """What a metric is built from: the device, how many images it will see, and where their real features are kept.

    `learnt`: None where nothing was trained, or nobody knows on what.
    """

    device: torch.device
    images: int
    real: Path | None = None
    learnt: Learnt | None = None


@dataclass(frozen=True)
class View:
    """Completions `first` ... `first + K - 1` of `total` a image; `judged` is composited or raw, as the protocol says.

    An image's completions come in one view or in several ones, in order; B images of a view share its first and K.
    """

    image_BCHW: Tensor
    known_B1HW: Tensor
    raw_BKCHW: Tensor
    judged_BKCHW: Tensor
    first: int
    total: int
    memo: dict[str, Tensor] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether these are the last completions of its images."""
        return self.first + self.raw_BKCHW.shape[1] == self.total

    def once(self, key: str, make: Callable[[], Tensor]) -> Tensor:
        """`make()`, computed once a view: what several metrics share."""
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]

    def features(self, key: str, net: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, K, D): `net` (images -> (N, D)) on the judged completions, once a view; one forward pass where the
        completions of each image are one picture, as a deterministic method's are.
        """
        return self.once(key, lambda: self._features(net))

    def _features(self, net: Callable[[Tensor], Tensor]) -> Tensor:
        samples = self.judged_BKCHW.shape[1]
        one = bool((self.judged_BKCHW == self.judged_BKCHW[:, :1]).all())
        some_BKCHW = self.judged_BKCHW[:, :1] if one else self.judged_BKCHW
        features_BKD = net(some_BKCHW.flatten(0, 1)).unflatten(0, some_BKCHW.shape[:2])
        return features_BKD.expand(-1, samples, -1)


class Metric(Protocol):
    """View -> values by name: (B, K) a completion each, or (B,) an image each, given when its last view is seen."""

    def __call__(self, view: View) -> Mapping[str, Tensor]: ...


@runtime_checkable
class OverSet(Protocol):
    """A metric of the whole set (FD): sees every view and gives no values, then gives its numbers by name.

    Each row of `sets_SN` names one completion an image (S = K for all samples, 1 for a selected one), images in the
    order in which they were seen.
    """

    def __call__(self, view: View) -> Mapping[str, Tensor]: ...

    def whole(self, sets_SN: Tensor) -> Mapping[str, float]: ...


@runtime_checkable
class OnSubsets(Protocol):
    """A metric of the whole set that can also be had on some of its images: what an interval is made from."""

    def among(self, images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]: ...
