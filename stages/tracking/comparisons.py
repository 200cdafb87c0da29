"""MLflow's charts of some runs, chosen beforehand: a link opens the experiment with scores drawn over params.

MLflow 3 keeps what somebody shares of its pages in a tag of the experiment, named by a key that the link bears; this
writes such a tag. (Its own comparison of runs opens on charts in which nothing is chosen.)
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.project.hashing import of_values

TAG = "mlflow.sharedViewState."
CHARTS = 60  # so many fit into a tag, and more is no overview
PARAM = "param/"  # params among the metrics: apart from the scores, and after most of them
ENDS = ("_low", "_high", "_std")  # of scores' intervals and spreads
SECTION = "scores over what varies"


@dataclass(frozen=True)
class Comparison:
    """What is drawn: `scores` (metrics), the first one first, over `axes` (params), of the `runs` that MLflow's filter
    finds; `others` are metrics that get no chart of their own, `numbers` those that have a param's values, by param.
    """

    name: str
    runs: str
    axes: Sequence[str]
    scores: Sequence[str]
    others: Sequence[str]
    numbers: Mapping[str, str]

    @classmethod
    def of(
        cls, name: str, runs: str, axes: Sequence[str], numbers: Mapping[str, str], metrics: Iterable[str]
    ) -> Comparison:
        """Of all the runs' metrics the scores are drawn: no params, no ends of intervals."""
        names = list(dict.fromkeys(metrics))
        scores = [name for name in names if not name.startswith(PARAM) and not name.endswith(ENDS)]
        return cls(name, runs, axes, scores, [name for name in names if name not in scores], numbers)


def share(client: Any, experiment: str, comparison: Comparison) -> str:
    """Keep it in the experiment; its address, below MLflow's own."""
    key = f"plurifill-{of_values({'comparison': comparison.name})[:12]}"
    packed = zlib.compress(json.dumps(_state(comparison), separators=(",", ":")).encode(), 9)
    client.set_experiment_tag(experiment, TAG + key, f"deflate;{base64.b64encode(packed).decode()}")
    return (
        f"#/experiments/{experiment}/runs?viewStateShareKey={key}&compareRunsMode=CHART&workflowType=machine_learning"
    )


def _state(comparison: Comparison) -> Mapping[str, Any]:
    """The page's state, in the words of MLflow's pages. Sorted by time they would fold the runs into their parent."""
    axis = _axis(comparison, comparison.axes[0])
    return {
        "searchFilter": comparison.runs,
        "orderByKey": f"{axis['type'].lower()}s.`{axis['key']}`",
        "orderByAsc": True,
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": [*_charts(comparison), *map(_hidden, comparison.others[:CHARTS])],
        "compareRunSections": [{"uuid": "scores", "name": SECTION, "display": True, "isReordered": True}],
        "isAccordionReordered": True,
    }


def _charts(comparison: Comparison) -> list[dict[str, Any]]:
    """Every axis with the first score, then the other scores over the first axis, then all at once."""
    first = list(comparison.scores[:1])
    pairs = [(axis, score) for score in first for axis in comparison.axes]
    pairs += [(axis, score) for axis in comparison.axes[:1] for score in comparison.scores[1:]]
    scatters = [
        _chart("SCATTER", f"{score} {axis}", xaxis=_axis(comparison, axis), yaxis={"key": score, "type": "METRIC"})
        for axis, score in pairs[:CHARTS]
    ]
    lines = _chart("PARALLEL", "lines", selectedParams=list(comparison.axes), selectedMetrics=first, showAllRuns=True)
    return [*scatters, lines]


def _axis(comparison: Comparison, param: str) -> dict[str, str]:
    """A metric where one has its values: MLflow names the axis after it, and a param's name is longer than a chart."""
    metric = comparison.numbers.get(param)
    return {"key": metric, "type": "METRIC"} if metric else {"key": param, "type": "PARAM"}


def _chart(kind: str, uuid: str, **more: Any) -> dict[str, Any]:
    own = {"type": kind, "uuid": uuid, "metricSectionId": "scores", "runsCountToCompare": 100}
    return {**own, "deleted": False, "isGenerated": False, **more}


def _hidden(metric: str) -> dict[str, Any]:
    """In the place of the chart that MLflow would make of it by itself."""
    return {**_chart("BAR", f"bar {metric}", metricKey=metric), "deleted": True, "isGenerated": True}
