"""The curves of one run: training scalars averaged between log lines, val figures at evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from stages.training.distributed import Ranks

Row = tuple[int, int, str, str, float]
COLUMNS = ("step", "images", "split", "name", "value")  # split: train or val; images: seen so far


class History:
    """Rows of COLUMNS, and the running sums that become the next train rows. Sums stay on the device until fetched."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, scalars: Mapping[str, float | Tensor]) -> None:
        """Take in one (micro-)batch's scalars without waiting for the device."""
        for name, value in scalars.items():
            value = torch.as_tensor(value).detach().float()
            before = self._sums.get(name)
            self._sums[name] = value if before is None else before.to(value.device) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def fetch(self, step: int, images: int, ranks: Ranks) -> dict[str, float]:
        """The means since the last fetch, over all ranks, as rows of `train`."""
        if not self._sums:
            return {}
        device = next(iter(self._sums.values())).device
        means = torch.stack([total.to(device) / self._counts[name] for name, total in self._sums.items()])
        figures = dict(zip(self._sums, ranks.mean(means).tolist(), strict=True))
        self._sums, self._counts = {}, {}
        self.note(step, images, "train", figures)
        return figures

    def note(self, step: int, images: int, split: str, figures: Mapping[str, float]) -> None:
        """Rows for figures that are plain numbers already."""
        self.rows += [(step, images, split, name, float(value)) for name, value in figures.items()]

    def figures(self) -> dict[str, dict[str, float]]:
        """Val figures: of the untrained network, of the finished one, and the extremes on the way."""
        rows = [(step, name, value) for step, _, split, name, value in self.rows if split == "val"]
        last = max((step for step, *_ in rows), default=0)
        ways: dict[str, list[float]] = {}
        for _, name, value in rows:
            ways.setdefault(name, []).append(value)
        return {
            "final": {name: value for step, name, value in rows if step == last},
            "lowest": {name: min(values) for name, values in ways.items()},
            "highest": {name: max(values) for name, values in ways.items()},
            "untrained": {name: value for step, name, value in rows if step == 0},
        }

    def frame(self) -> pd.DataFrame:
        """All rows, as a table."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))

    def state_dict(self, ranks: Ranks) -> dict[str, Any]:
        """torch's state protocol; the sums are those of every rank, (world,) each."""
        sums = {name: ranks.gather(total) for name, total in self._sums.items()}
        return {"rows": list(self.rows), "sums": sums, "counts": dict(self._counts)}

    def load_state_dict(self, state_dict: dict[str, Any], ranks: Ranks) -> None:
        """torch's state protocol."""
        self.rows = [tuple(row) for row in state_dict["rows"]]
        self._sums = {name: _own(totals, ranks) for name, totals in state_dict["sums"].items()}
        self._counts = dict(state_dict["counts"])


def _own(totals: Tensor, ranks: Ranks) -> Tensor:
    """This rank's of every rank's sums; where they are of another number of ranks, their mean."""
    return totals[ranks.rank] if totals.shape == (ranks.world,) else totals.mean()
