"""A search's study: optuna chooses the points, and keeps what was asked and told in a file, through every kill.

The k-th point of a random search is a function of (seed, k). One of tpe is a function of seed, k and the scores of all
points before its round. A point is what its trial's numbers are, rounded; one that was there before counts once.
"""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from flows import names
from flows.halving import DIRECTION
from flows.search_ranges import Range
from flows.search_spec import Search
from flows.sweep_spec import Overrides

AGAIN = "again"  # marks a trial of a point that had failed and is made once more


def place(folder: Path, search: Search, commit: str) -> Path:
    """The study's file in a sweep's `folder` of worktrees: another search, or commit, has another."""
    digest = hashlib.sha256(json.dumps([search.told, commit], sort_keys=True).encode()).hexdigest()[:12]
    return folder / f".search-{digest}.jsonl"


class Study:
    """The trials of one search. Who asks holds the sweep's lock."""

    def __init__(self, path: Path, search: Search) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path.parent.mkdir(parents=True, exist_ok=True)
        _mend(path)
        self.search = search
        self._distributions = {key: _distribution(one) for key, one in search.over.items()}
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            study_name="search",
            direction=DIRECTION[search.goal.better],
            load_if_exists=True,
        )
        self._points: dict[int, tuple[str, Overrides]] = {}  # by the trial's number
        self._fail_abandoned()

    def points(self) -> dict[str, Overrides]:
        """All that were asked for, by name, in this order."""
        found: dict[str, Overrides] = {}
        for trial in self._whole():
            found.setdefault(*self._point(trial))
        return found

    def ask(self, count: int) -> dict[str, Overrides]:
        """The first `count` points; those that nobody has asked for yet are asked for now."""
        found = self.points()
        while len(found) < count:
            self._study.sampler = self._sampler()
            self._study.ask(self._distributions)
            self._fail_abandoned()
            found.setdefault(*self._point(self._whole()[-1]))
        return dict(list(found.items())[:count])

    def begin(self, name: str) -> None:
        """The point is about to be made: one that had failed gets a trial more."""
        last = self._trials(name)[-1]
        if last.state == TrialState.FAIL:
            again = optuna.trial.create_trial(
                state=TrialState.RUNNING,
                params=last.params,
                distributions=last.distributions,
                user_attrs={AGAIN: True},
            )
            self._study.add_trial(again)

    def tell(self, name: str, score: Callable[[], float] | None) -> None:
        """What became of the point, told once: its score, or None where it failed."""
        for trial in self._trials(name):
            if trial.state == TrialState.RUNNING:
                value = score() if score else math.nan
                failed = not math.isfinite(value)
                self._study.tell(trial.number, None if failed else value, TrialState.FAIL if failed else None)

    def give_up(self, name: str, step: int, value: float) -> None:
        """The search has stopped the point, by the value of its curve there: told once."""
        assert self.search.stop
        same = self.search.stop.better == self.search.goal.better  # the study knows the goal's way alone
        for trial in self._trials(name):
            if trial.state == TrialState.RUNNING:
                optuna.trial.Trial(self._study, trial._trial_id).report(value if same else -value, step)
                self._study.tell(trial.number, state=TrialState.PRUNED)

    def _sampler(self) -> BaseSampler:
        """After a point that was there before comes a random one: tpe might insist."""
        asked = [self._point(trial)[0] for trial in self._asked()]
        seed = _seed(self.search.seed, len(asked))
        if self.search.by == "random" or (asked[-1:] and asked[-1] in asked[:-1]):
            return RandomSampler(seed)
        return TPESampler(seed=seed, constant_liar=True)

    def _fail_abandoned(self) -> None:
        """Trials that are no point: of a process that was killed as it asked, and of points that were there before."""
        first = {self._point(trial)[0]: trial.number for trial in self._asked()[::-1]}.values()
        for trial in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            if trial.number not in first and AGAIN not in trial.user_attrs:
                self._study.tell(trial.number, state=TrialState.FAIL)

    def _asked(self) -> list[FrozenTrial]:
        return [trial for trial in self._whole() if AGAIN not in trial.user_attrs]

    def _whole(self) -> list[FrozenTrial]:
        """Those that have all their numbers."""
        keys = set(self._distributions)
        return [trial for trial in self._study.get_trials(deepcopy=False) if set(trial.params) == keys]

    def _trials(self, name: str) -> list[FrozenTrial]:
        return [trial for trial in self._whole() if self._point(trial)[0] == name]

    def _point(self, trial: FrozenTrial) -> tuple[str, Overrides]:
        if trial.number not in self._points:
            values = {key: _value(one, trial.params[key]) for key, one in self.search.over.items()}
            self._points[trial.number] = next(iter(names.by_name([values]).items()))
        return self._points[trial.number]


def _value(one: Range | list[Any], drawn: Any) -> Any:
    return one.rounded(drawn) if isinstance(one, Range) else one[drawn]


def _distribution(one: Range | list[Any]) -> BaseDistribution:
    """Choices by their place: optuna's file has no lists."""
    if isinstance(one, list):
        return CategoricalDistribution(range(len(one)))
    if one.is_whole:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


def _seed(seed: int, number: int) -> int:
    """Of one draw: neighbouring seeds share none."""
    return int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:4])


def _mend(path: Path) -> None:
    """Remove the line that a full disk has cut: optuna would write the next one behind it, and read neither."""
    if path.is_file() and not (text := path.read_bytes()).endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(text.rfind(b"\n") + 1)
