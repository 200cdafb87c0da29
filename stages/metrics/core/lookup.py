"""Metrics by name: `stages.metrics.<the metric's first words>`, as many of them as there is a file for.

There is no list of metrics: a file in `stages/metrics` is one (see `MetricModule` for what it says).
"""

from __future__ import annotations

from contextlib import suppress

from stages.contract import UserError
from stages.metrics.core import label as labels
from stages.metrics.core.contract import MetricModule
from stages.metrics.core.label import Label
from stages.project import plugins
from stages.project.weights import TABLE

PACKAGE = "stages.metrics"


def find(name: str) -> MetricModule | None:
    """The module of a metric, or of a value that it gives; None where there is none."""
    words = name.split("_")
    starts = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    return next((found for start in starts if (found := _module(start))), None)


def module(name: str) -> MetricModule:
    """The same; UserError where there is none."""
    found = find(name)
    if found is None:
        raise UserError(f"params: there is no metric {name}; a metric is a file in stages/metrics")
    return found


def every() -> tuple[MetricModule, ...]:
    """The modules of all metrics, by their files' names."""
    return tuple(found for name in plugins.names(PACKAGE) if (found := _module(name)))


def label(value: str) -> Label:
    """What a value is called; one of no metric here (an older table may hold such) keeps its own name."""
    found = find(value)
    return labels.label(value, found.LABELS if found else {})


def network(value: str) -> str | None:
    """The pretrained network that a value is computed by, a key of `weights.TABLE`; None where there is none."""
    found, words = find(value), value.split("_")
    if found is None:
        return None
    for count in range(len(words), 0, -1):  # a value's first words are its metric's name: prdc_alexnet_recall
        with suppress(UserError):
            if (named := found.needs("_".join(words[:count]))) is None or named in TABLE:
                return named
    return None


def defaults(images: int, samples: int, raw: bool) -> tuple[str, ...]:
    """The metrics of results for which nobody names any; those that are always had first, then as columns stand."""
    told = [default for found in every() for default in found.DEFAULTS]
    had = [one for one in told if one.images <= images and one.samples <= samples and (raw or not one.raw)]
    had.sort(key=lambda one: (one.raw, one.samples, one.images, *label(one.metric).place))
    return tuple(one.metric for one in had)


def _module(name: str) -> MetricModule | None:
    found = plugins.find(PACKAGE, name)
    if found is None or not hasattr(found, "build"):  # core, which all of them share
        return None
    if not isinstance(found, MetricModule):
        said = ("NAMES", "BETTER", "LABELS", "DEFAULTS", "needs", "build")
        missing = ", ".join(one for one in said if not hasattr(found, one))
        raise UserError(f"{found.__file__}: a metric also defines {missing} (see MetricModule)")
    return found
