"""A search's point while it learns: a part's val curve is read as it grows, until the search gives the point up."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from flows import search_stop
from flows.errors import InvalidRequest, nearest
from flows.results import Results
from flows.search_stop import Stop
from flows.sweep_spec import SweepSpec
from flows.sweep_work import Work


def check(spec: SweepSpec, work: Mapping[str, Work], parts: int, shared: bool) -> None:
    """InvalidRequest where points cannot be stopped: their training is one, divided, or on machines of other clones."""
    stop = spec.search.stop if spec.search else None
    if stop is None:
        return
    if parts > 1:
        raise InvalidRequest(
            f"sweep: search.stop: points that may be stopped are not divided; leave parts = {parts} out"
        )
    if shared:
        raise InvalidRequest(
            "sweep: search.stop: curves are compared within one clone, and others share in the work "
            "(PLURIFILL_SHARED=1); leave stop out"
        )
    stage = f"{spec.methods[0]}@{stop.part}"
    if len({digest for own in work.values() for digest, name in own.digests.items() if name == stage}) < 2:
        raise InvalidRequest(
            f"sweep: search.stop.part = {stop.part}: nothing in search.over changes how it is trained; leave stop out"
        )


def _first(places: Iterable[Path]) -> pd.DataFrame:
    """The first table that is there: one goes as the other comes."""
    for path in places:
        try:
            return pd.read_parquet(path)
        except FileNotFoundError:
            continue
    return pd.DataFrame(columns=["step", "split", "name", "value"])


class Judge:
    """Of one point, in its worktree `folder`, by its sweep's search and the curves of the points `against`."""

    def __init__(self, results: Results, folder: Path, against: Sequence[str]) -> None:
        from flows.halving import Halving  # here: optuna takes seconds, and other sweeps need none

        search = json.loads(results.spec.read_text())["search"]
        self.stop, self.method, self.folder = Stop(**search["stop"]), search["goal"]["method"], folder
        self._last = search_stop.steps(YAML(typ="safe").load(folder / "params.yaml"), self.method, self.stop.part)
        self._halving = Halving(self.stop, filter(None, map(results.curve, against)))

    def gives_up(self) -> bool:
        """Whether what is there of the curve is enough to stop the point. InvalidRequest: there is no such curve."""
        return self._halving.see([row for row in self.curve() if row[0] < self._last])

    @property
    def told(self) -> str:
        """Where and by what a point was given up, in words."""
        step, value = self._where
        return f"by val {self.stop.curve} of {self.stop.part} at step {step}: {value:.4g}"

    def note(self) -> dict[str, Any]:
        """The same, and the curve up to there."""
        step, value = self._where
        return {"step": step, "value": value, "curve": [row for row in self.curve() if row[0] <= step]}

    @property
    def _where(self) -> tuple[int, float]:
        assert self._halving.given_up, "gives_up() has said so"
        return self._halving.given_up

    def curve(self) -> list[tuple[int, float]]:
        """As far as it is: of the part as it is learnt, or learnt."""
        data, own = self.folder / "data", f"{self.method}/{self.stop.part}"
        places = [*data.glob(f"progress/{own}/*/curves.parquet"), data / "models" / own / "curves.parquet"]
        frame = _first(places)
        val = frame[frame["split"] == "val"]
        rows = val[val["name"] == self.stop.curve]
        if len(rows) == 0 and len(val):
            near = nearest(self.stop.curve, sorted(set(val["name"])))
            raise InvalidRequest(f"sweep: search.stop.curve = {self.stop.curve}: {own} has no such figure{near}")
        return list(zip(rows["step"].tolist(), rows["value"].tolist(), strict=True))
