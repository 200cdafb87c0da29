"""The graph as DVC reads it from dvc.yaml: stage names, their order, their kind (cpu or gpu), what is stale."""

from dataclasses import dataclass

from dvc.repo import Repo


@dataclass(frozen=True)
class Stage:
    """One DVC stage: where it runs and what must be done before it."""

    name: str
    kind: str
    parents: tuple[str, ...]


def stages(root: str = ".") -> dict[str, Stage]:
    """All stages by name, parents first."""
    with Repo(root) as repo:
        graph = repo.index.graph  # an edge leads from a stage to the one it depends on
        found = {
            stage.name: Stage(stage.name, stage.meta["kind"], tuple(sorted(p.name for p in graph.successors(stage))))
            for stage in graph
        }
    return _ordered(found)


def _ordered(found: dict[str, Stage]) -> dict[str, Stage]:
    done: dict[str, Stage] = {}
    while len(done) < len(found):
        ready = [s for n, s in sorted(found.items()) if n not in done and all(p in done for p in s.parents)]
        done |= {stage.name: stage for stage in ready}
    return done


def stale(root: str = ".") -> list[str]:
    """The stages that DVC would run, with all their descendants, parents first."""
    with Repo(root) as repo:
        changed = {name.split(":")[-1] for name in repo.status()}
    for name, stage in stages(root).items():
        if changed.intersection(stage.parents):
            changed.add(name)
    return [name for name in stages(root) if name in changed]
