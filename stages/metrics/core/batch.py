"""What a metric is shown: images with (some of) their completions, decoded once for all metrics.

Axes: B images, K completions an image, C channels, H rows, W columns. Images are in [-1, 1], on the uint8 grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class EvalBatch:
    """Completions `first` ... `first + K - 1` of `total` an image; `judged` is composited or raw, as the protocol says.

    An image's completions come in one batch or in several, in order; the B images of a batch share `first` and K.
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
        """`make()`, computed once a batch: what several metrics share."""
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]

    def features(self, key: str, net: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, K, D): `net` (images -> (N, D)) on the judged completions, once a batch; one forward pass where the
        completions of each image are one picture, as a deterministic method's are.
        """
        return self.once(key, lambda: self._features(net))

    def _features(self, net: Callable[[Tensor], Tensor]) -> Tensor:
        samples = self.judged_BKCHW.shape[1]
        one = bool((self.judged_BKCHW == self.judged_BKCHW[:, :1]).all())
        some_BKCHW = self.judged_BKCHW[:, :1] if one else self.judged_BKCHW
        features_BKD = net(some_BKCHW.flatten(0, 1)).unflatten(0, some_BKCHW.shape[:2])
        return features_BKD.expand(-1, samples, -1)
