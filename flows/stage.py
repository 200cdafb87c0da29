"""One DVC stage: here, or as a flow run on a worker; DVC decides whether there is anything to do."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from prefect import flow
from prefect.states import State

from flows import commands, graph, presence
from flows.refused import Refused

# a workspace is shared only stage by stage, each waiting for the others' locks
DVC = ("dvc", "--wait-for-lock", "repro", "--single-item")


@flow(flow_run_name="{stage}")
def run_stage(stage: str, state: str = "") -> State | None:
    """Run one stage of dvc.yaml; with `state`, only in that state of the sources (see `sources`)."""
    presence.announce()
    if state and state != sources():
        raise Refused(f"{Path.cwd()}: commit, dvc.yaml or params.yaml are not those of the run that asked for {stage}")
    graph.ancestors(graph.read(), [stage])
    return commands.crash_if_abandoned(lambda: reproduce(stage))


def sources(root: Path = Path()) -> str:
    """A digest of the checked-out commit, dvc.yaml and params.yaml."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, check=True).stdout
    texts = [(root / name).read_bytes() for name in ("dvc.yaml", "params.yaml")]
    return hashlib.sha256(b"\0".join([head, *texts])).hexdigest()


def reproduce(stage: str, root: Path = Path()) -> None:
    """Run the stage where it is stale. Shared, what it needs comes from the DVC remote, and its results go there."""
    if not shared():
        return run(stage, root)
    known = graph.read(root)
    for name in graph.ancestors(known, [stage]):
        run(name, root, ("--pull",))
    commands.run(["dvc", "--wait-for-lock", "push", "--run-cache", stage], root, lock(stage, root))


def run(stage: str, root: Path, options: Sequence[str] = ()) -> None:
    """`dvc repro` of this stage alone."""
    graph.mend(root)
    commands.run([*DVC, *options, stage], root, lock(stage, root))


def lock(stage: str, root: Path) -> Path:
    """Held while a stage runs in this workspace."""
    return root.resolve() / ".dvc" / "tmp" / "running" / f"{stage}.lock"


def shared() -> bool:
    """Whether other machines' workers share in the work, by way of the default DVC remote."""
    return os.environ.get("PLURIFILL_SHARED") == "1"
