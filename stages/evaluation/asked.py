"""What is to be scored: an entry's finished samples of a test set, under the protocols of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.contract import UserError
from stages.evaluation import evaluator
from stages.evaluation.passes import Pass
from stages.evaluation.protocols import Protocol
from stages.metrics.core.contract import MetricContext
from stages.project.entries import Entry
from stages.project.progress import tell
from stages.sampling.shares import Share
from stages.sampling.store import Samples
from stages.sampling.testsets import TestSet


@dataclass(frozen=True)
class Asked:
    """Samples by an entry, and the protocols by name that score them."""

    entry: Entry
    testset: TestSet
    finished: Samples
    protocols: Mapping[str, Protocol]
    context: MetricContext

    def passes(self) -> Iterator[tuple[Pass, dict[str, Protocol]]]:
        """One pass over the images for those protocols that judge the same pixels."""
        refuse_other_data(self.testset, self.finished)
        for composite in (True, False):
            here = {name: protocol for name, protocol in self.protocols.items() if protocol.composite == composite}
            if here:
                metrics = list(dict.fromkeys(metric for protocol in here.values() for metric in protocol.metrics))
                images = f"{len(self.finished.keys)} images"
                tell(f"{self.entry} on {self.testset.name}: {images} under {', '.join(here)}")
                yield Pass(self.finished, self.testset, composite, metrics, self.context), here


def keep_share(asked: Asked, share: Share, kept: Path) -> None:
    """Leave what metrics tell of a share of the images in `kept`."""
    for shown, _ in asked.passes():
        evaluator.score_share(shown, share, kept / shown.fingerprint())


def refuse_other_data(testset: TestSet, finished: Samples) -> None:
    """UserError unless the samples are of the test set as params, data and masks are now."""
    for name, now in testset.identity().items():
        if now != finished.description[name]:
            then = finished.description[name]
            raise UserError(f"{finished.place}: sampled with {name} {then}, now it is {now}; run `plurifill sample`")
    if testset.keys != finished.keys:
        raise UserError(
            f"{finished.place}: holds other images than testsets.{testset.name} names; run `plurifill sample`"
        )
