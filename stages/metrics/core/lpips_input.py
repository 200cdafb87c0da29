"""What LPIPS is shown: whole images, or each hole's bounding box, and the vectors that it makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from stages.contract import UserError
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext, require_side
from stages.metrics.core.lpips_network import BACKBONES, LEAST, tower

SMALLEST = 32  # pixels a side of a crop: AlexNet sees nothing smaller


@dataclass(frozen=True)
class LpipsInput:
    """A net and what it is shown: the whole image, or (`hole`) the hole's bounding box, as paper 001 does."""

    net: str
    hole: bool

    @classmethod
    def of(cls, ending: str, name: str) -> LpipsInput:
        """From the `ending` of a metric's name, `<net>` or `<net>_hole`; UserError where there is no such net."""
        net = ending.removesuffix("_hole")
        if net not in BACKBONES:
            nets = ", ".join(BACKBONES)
            raise UserError(f"params: metric {name}: it ends in <net> or <net>_hole, the net one of {nets}")
        return cls(net, ending.endswith("_hole"))

    @property
    def backbone(self) -> str:
        """The weights that the net needs."""
        return BACKBONES[self.net]

    def require(self, name: str, context: MetricContext) -> None:
        """AbsentError unless the metric `name` can be had on this net: known before anything is decoded."""
        require_side(name, LEAST[self.net], context)
        tower(self.net, context.device)

    def completions(self, batch: EvalBatch) -> Tensor:
        """e_BKD of the batch's judged completions: computed once, whichever metrics ask."""
        embed = tower(self.net, batch.judged_BKCHW.device).embed
        if not self.hole:
            return batch.features(f"lpips_{self.net}", embed)
        return batch.once(
            f"lpips_{self.net}_hole", lambda: _stack(map(embed, crops(batch.judged_BKCHW, batch.known_B1HW)))
        )

    def originals(self, batch: EvalBatch) -> Tensor:
        """e_B1D of the batch's images."""
        embed = tower(self.net, batch.image_BCHW.device).embed
        if not self.hole:
            return embed(batch.image_BCHW)[:, None]
        return _stack(map(embed, crops(batch.image_BCHW[:, None], batch.known_B1HW)))


def crops(image_BKCHW: Tensor, known_B1HW: Tensor) -> Iterator[Tensor]:
    """Each image's K pictures (K, C, h, w) in its hole's bounding box, which is widened to `SMALLEST` pixels a side."""
    for image_KCHW, known_1HW in zip(image_BKCHW, known_B1HW, strict=True):
        rows, columns = (_span((known_1HW[0] == 0).any(dim=axis)) for axis in (1, 0))
        yield image_KCHW[..., rows, columns]


def _span(missing_L: Tensor) -> slice:
    """From the first to the last missing place, widened evenly on both sides and shifted into the image."""
    places = missing_L.nonzero().flatten().tolist() or [0, len(missing_L) - 1]
    first, size = places[0], places[-1] + 1 - places[0]
    wide = min(max(size, SMALLEST), len(missing_L))
    start = min(max(first - (wide - size) // 2, 0), len(missing_L) - wide)
    return slice(start, start + wide)


def _stack(embedded: Iterable[Tensor]) -> Tensor:
    """(B, K, D) of vectors that differ in length by their image: zeros at the end change no distance."""
    rows = [rows_KD.T for rows_KD in embedded]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True).mT
