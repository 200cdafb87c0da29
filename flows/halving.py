"""Successive halving of val curves, by optuna, in memory: what it says is a function of the curves alone."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import optuna
from optuna.pruners import SuccessiveHalvingPruner
from optuna.study import StudyDirection
from optuna.trial import Trial

from flows.search_stop import Stop

Curve = Sequence[tuple[int, float]]  # steps done, and the figure of that evaluation
DIRECTION = {"lower": StudyDirection.MINIMIZE, "higher": StudyDirection.MAXIMIZE}


class Halving:
    """What becomes of one point, whose curve grows, beside those of `earlier` ones."""

    def __init__(self, stop: Stop, earlier: Iterable[Curve]) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        pruner = SuccessiveHalvingPruner(min_resource=stop.after, reduction_factor=stop.factor)
        self._study = optuna.create_study(direction=DIRECTION[stop.better], pruner=pruner)
        for curve in earlier:
            trial = self._study.ask()
            for rung in rungs(stop, curve):  # whatever is said of them here: each was judged at its own time
                _is_out(trial, rung)
        self._stop, self._own, self._judged = stop, self._study.ask(), 0
        self.given_up: tuple[int, float] | None = None

    def see(self, curve: Curve) -> bool:
        """Take in what is new of the point's curve; whether it is given up, and is so for good."""
        for rung in list(rungs(self._stop, curve))[self._judged :]:
            self._judged += 1
            if _is_out(self._own, rung) and self.given_up is None:
                self.given_up = rung.step, rung.value
        return self.given_up is not None


class Rung(NamedTuple):
    """Where points are compared: `resource` steps, and the first evaluation at or after these."""

    resource: int
    step: int
    value: float


def rungs(stop: Stop, curve: Curve) -> Iterator[Rung]:
    """Those that a curve has come to; an evaluation may be the first one after several."""
    resource = stop.after
    for step, value in curve:
        while step >= resource:
            yield Rung(resource, step, value)
            resource *= stop.factor


def _is_out(trial: Trial, rung: Rung) -> bool:
    trial.report(rung.value if math.isfinite(rung.value) else math.nan, rung.resource)
    return trial.should_prune()
