"""What Prefect costs: the pipeline at the tiny preset by `dvc repro` and by the flow, from nothing and up to date."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.flows.stack import Stack
from tests.graph_copy import fresh


def rows() -> Iterator[tuple[str, float, float]]:
    """(what, seconds of dvc repro, seconds of the flow)."""
    with tempfile.TemporaryDirectory() as folder:
        plain, alone = (Stack.of(fresh(Path(folder) / name / "project")) for name in ("a", "b"))
        with Stack.opened(fresh(Path(folder) / "c" / "project"), slots=1) as by_workers:
            for what in ("from nothing", "up to date"):
                peer = seconds(lambda: plain.call("dvc", "repro"))
                yield f"tiny pipeline, {what}: in one process", peer, seconds(lambda: alone.flows("reproduce"))
                ours = seconds(lambda: by_workers.wait(by_workers.run("reproduce/pipeline"), 3600))
                yield f"tiny pipeline, {what}: by workers", peer, ours


def seconds(work: Callable[[], object]) -> float:
    """Wall clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
