"""One DVC stage: in this process's project, or as a flow run on a worker; DVC decides whether it has anything to do."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from prefect import flow, runtime
from prefect.states import State

from flows import commands, division, git, graph, run_log
from flows.errors import InvalidRequest


def _run_name() -> str:
    given = runtime.flow_run.parameters
    return division.named(given["stage"], given.get("part", ""))


@flow(flow_run_name=_run_name)
def run_stage(stage: str, state: str = "", part: str = "") -> State | None:
    """Run one stage of dvc.yaml; with `state`, only in that state of the sources (see `sources_digest`).

    With `part`, as 1/4, that part of a stage that divides: its pieces stay for the stage itself.
    """
    run_log.keep()
    if state and state != sources_digest():
        raise InvalidRequest(
            f"{Path.cwd()}: commit, dvc.yaml or params.yaml are not those of the run that asked for {stage}"
        )
    known = graph.read()
    graph.ancestors(known, [stage])
    if part:
        command = division.command(known[stage], part)
        return commands.crash_if_abandoned(lambda: run_part(stage, part, command))
    return commands.crash_if_abandoned(lambda: reproduce(stage))


def sources_digest(root: Path = Path()) -> str:
    """Of the checked-out commit, dvc.yaml and params.yaml."""
    head = git.run(root, "rev-parse", "HEAD").encode()
    texts = [(root / name).read_bytes() for name in ("dvc.yaml", "params.yaml")]
    return hashlib.sha256(b"\0".join([head, *texts])).hexdigest()


def reproduce(stage: str, root: Path = Path()) -> None:
    """Run the stage where it is stale. Shared, what it needs comes from the DVC remote, and its results go there."""
    if not is_shared():
        return run(stage, root)
    known = graph.read(root)
    for name in graph.ancestors(known, [stage]):
        run(name, root, ("--pull",))
    commands.run(["dvc", "--wait-for-lock", "push", "--run-cache", stage], root, lock(stage, root))


def run(stage: str, root: Path, options: Sequence[str] = ()) -> None:
    """`dvc repro` of this stage alone; a workspace is shared stage by stage, each waiting for the others' locks."""
    graph.repair_busy_list(root)
    words = ["--wait-for-lock", "repro", "--single-item", *options, stage]
    commands.run(["dvc", *words], root, lock(stage, root), launched=True)


def run_part(stage: str, part: str, command: Sequence[str], root: Path = Path()) -> None:
    """A part of the stage, beside its others; DVC hears of none of them."""
    commands.run(command, root, lock(f"{stage}.{part.replace('/', '-of-')}", root), launched=True)


def lock(stage: str, root: Path) -> Path:
    """Held while a stage, or a part of it, runs in this workspace."""
    return root.resolve() / ".dvc" / "tmp" / "running" / f"{stage}.lock"


def is_shared() -> bool:
    """Whether other machines' workers share in the work, by way of the default DVC remote."""
    return os.environ.get("PLURIFILL_SHARED") == "1"
