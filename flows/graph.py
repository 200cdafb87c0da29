"""The graph as DVC reads it from dvc.yaml: stage names, their order, their kind (cpu or gpu), what is stale."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dvc.lock import LockError, make_lock
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError
from dvc_data.hashfile.hash_info import HashInfo

from flows.errors import InvalidRequest, nearest

BENCHMARK = "benchmark@"  # and a method: the stage that scores it


@dataclass(frozen=True)
class Stage:
    """One DVC stage: where it runs, what must be done before it, what it reads, its settings (cmd, params) as JSON.

    One that `divides` has a command with `--part I/N`: runs of it, in any order, leave pieces that it takes over.
    """

    name: str
    kind: str
    parents: tuple[str, ...]
    reads: tuple[str, ...]
    settings: str
    divides: bool = False

    @property
    def command(self) -> str:
        """What DVC runs."""
        return str(json.loads(self.settings)[0])


Graph = Mapping[str, Stage]


def read(root: Path = Path()) -> Graph:
    """All stages by name, parents first."""
    with Repo(str(root)) as repo:
        graph = repo.index.graph  # an edge leads from a stage to the one it depends on
        found = {stage.name: _stage(stage, graph.successors(stage)) for stage in graph}
    return _ordered(found)


def _stage(stage: PipelineStage, parents: Iterable[PipelineStage]) -> Stage:
    values = [dep.read_params() for dep in stage.params]
    settings = json.dumps([stage.cmd, values], sort_keys=True, default=str)
    reads = tuple(dep.def_path for dep in stage.deps)
    before, divides = tuple(sorted(parent.name for parent in parents)), stage.meta.get("divides", False)
    return Stage(stage.name, stage.meta["kind"], before, reads, settings, divides)


def _ordered(found: Graph) -> Graph:
    done: dict[str, Stage] = {}
    while len(done) < len(found):
        ready = [s for n, s in sorted(found.items()) if n not in done and all(p in done for p in s.parents)]
        done |= {stage.name: stage for stage in ready}
    return done


def parse(pipeline: str, params: str) -> Graph:
    """The graph that the texts of a dvc.yaml and a params.yaml would give; nothing is run or hashed."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / ".dvc").mkdir()
        (root / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
        (root / "dvc.yaml").write_text(pipeline)
        (root / "params.yaml").write_text(params)
        return read(root)


def stale(graph: Graph, root: Path = Path()) -> list[str]:
    """The stages that DVC would run or runs at this moment, with all their descendants, parents first."""
    repair_busy_list(root)
    with Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        changed = {str(stage.name) for stage in repo.index.stages if _is_changed(stage)}
    for name, stage in graph.items():
        if changed.intersection(stage.parents):
            changed.add(name)
    return [name for name in graph if name in changed]


def _is_changed(stage: Any) -> bool:
    try:
        return bool(stage.status(check_updates=True))
    except LockError:  # it is being made, or what it reads is
        return True


def would_run(name: str, root: Path = Path()) -> bool:
    """Whether DVC would run the stage's command now: it is stale, and its run cache has no result of such a run."""
    repair_busy_list(root)
    with Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        [stage] = [one for one in repo.index.stages if one.name == name]
        if not stage.changed():
            return False
        stage.save_deps()  # of this object alone: what the run cache is asked for
        for out in stage.outs:
            out.hash_info = HashInfo()  # else what the last run made would be its answer
        try:
            repo.stage_cache.restore(stage, dry=True)
        except RunCacheNotFoundError:
            return True
        return False


def repair_busy_list(root: Path) -> None:
    """Remove DVC's list of busy files where a process was killed while it wrote it: DVC would stop at it for ever."""
    folder = root / ".dvc" / "tmp"
    if not (folder / "rwlock").is_file():
        return
    with make_lock(str(folder / "rwlock.lock"), tmp_dir=str(folder), wait=True):  # as DVC has it while it writes
        try:
            json.loads((folder / "rwlock").read_text())
        except ValueError:
            (folder / "rwlock").unlink()


def benchmarks(methods: Iterable[str]) -> list[str]:
    """The stages that make these methods' scores."""
    return [f"{BENCHMARK}{method}" for method in methods]


def methods(graph: Graph) -> list[str]:
    """Those that have such a stage."""
    return [name.removeprefix(BENCHMARK) for name in graph if name.startswith(BENCHMARK)]


def ancestors(graph: Graph, targets: Iterable[str]) -> list[str]:
    """The stages that `targets` need, themselves among them, parents first. InvalidRequest where one is unknown."""
    needed = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in graph:
            raise InvalidRequest(f"dvc.yaml: no stage {name}{nearest(name, graph)}")
        needed.add(name)
        waiting += graph[name].parents
    return [name for name in graph if name in needed]


def digests(graph: Graph) -> dict[str, str]:
    """Stage -> a digest of its settings and of all that goes before it: equal digests, equal work (at one commit)."""
    found: dict[str, str] = {}
    for name, stage in graph.items():
        parts: list[Any] = [name, stage.settings, [found[parent] for parent in stage.parents]]
        found[name] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return found
