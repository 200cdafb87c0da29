"""The one-way arrows of the house, and one name everywhere: folder, params key, DVC stage, artefact."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from stages.cli import app
from stages.project import params, paths

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = sorted(p.name for p in (ROOT / "stages" / "methods").iterdir() if (p / "__init__.py").is_file())
METHODS = [name for name in FOLDERS if (ROOT / "stages" / "methods" / name / "inpaint.py").is_file()]
LIBRARIES = {"dvc", "prefect", "mlflow"}
# what each room may import; `project` and the contract are below all
ARROWS = {
    "project": (),
    "nets": (),
    "losses": (),
    "images": (),
    "tracking": (),
    "metrics": ("images",),
    "sampling": ("images",),
    "training": ("images", "losses.tally", "metrics.lpips", "metrics.core", "tracking"),
    "evaluation": ("images", "metrics", "sampling"),
    "pages": ("images", "metrics", "sampling", "evaluation"),
    "demo": ("images", "sampling"),
    "methods": ("nets", "losses", "images.pixels", "training.schedules", "sampling.timing"),
    "cli": ("images", "metrics", "sampling", "training", "tracking", "evaluation", "pages", "demo"),
}
BELOW_ALL = ("stages.contract", "stages.project")
ALONE = {"nets", "losses"}  # these know torch alone, not even the contract


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in {"stages", "flows", "tests"}}


def allowed(name: str, rooms: tuple[str, ...]) -> bool:
    """Whether an imported name lies in one of the rooms, or is a package on the way to one."""
    return any(name == room or name.startswith(room + ".") or room.startswith(name + ".") for room in rooms)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "stages").parts[0]


def test_every_room_has_its_arrows():
    rooms = {p.name for p in (ROOT / "stages").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms == set(ARROWS)


def test_the_top_of_stages_is_the_graphs_verbs_and_the_contract():
    with Repo(str(ROOT)) as repo:
        verbs = {stage.cmd.split()[1] for stage in repo.index.stages}
    assert {p.stem for p in (ROOT / "stages").glob("*.py")} == verbs | {"__init__", "contract"}


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_imports_only_what_its_arrows_allow(room):
    below = () if room in ALONE else BELOW_ALL[:1] if room == "methods" else BELOW_ALL
    rooms = (f"stages.{room}", *below, *(f"stages.{other}" for other in ARROWS[room]))
    assert not [(p.name, n) for p in sources(f"stages/{room}") for n in ours(p) if not allowed(n, rooms)]


@pytest.mark.parametrize("room", ["nets", "losses"])
def test_nets_and_losses_know_torch_alone(room):
    free = {"torch", "math", "collections", "typing", "dataclasses", "__future__", "stages", "itertools", "functools"}
    wrong = [(p.name, n) for p in sources(f"stages/{room}") for n in imports(p) if n.split(".")[0] not in free]
    assert not wrong


@pytest.mark.parametrize("method", FOLDERS)
def test_a_method_knows_blocks_and_the_contract_never_a_sibling_or_a_file(method):
    shared = (
        "stages.nets",
        "stages.losses",
        "stages.contract",
        "stages.training.schedules",
        "stages.sampling.timing",
        "stages.images.pixels",
    )
    rooms = (f"stages.methods.{method}", *shared)
    for path in sources(f"stages/methods/{method}"):
        assert not [n for n in ours(path) if not allowed(n, rooms)], path
        assert not [n for n in imports(path) if n.split(".")[0] in {"os", "pathlib", "io", "shutil", "yaml"}], path


def test_mlflow_is_imported_in_one_room_and_dvc_and_prefect_only_in_flows():
    for path in sources("stages"):
        found = {n.split(".")[0] for n in imports(path)} & LIBRARIES
        assert found <= ({"mlflow"} if path.is_relative_to(ROOT / "stages/tracking") else set()), path
    assert not [p for p in sources("flows") for n in imports(p) if n.split(".")[0] == "mlflow"]


def test_optuna_is_imported_where_a_search_asks_and_judges():
    found = [
        p for room in ("stages", "flows") for p in sources(room) if "optuna" in {n.split(".")[0] for n in imports(p)}
    ]
    assert sorted(found) == [ROOT / "flows/halving.py", ROOT / "flows/study.py"]


def test_nothing_imports_flows_and_flows_import_no_stage_code():
    assert not [p for p in sources("stages") for n in ours(p) if n.startswith("flows")]
    assert not [p for p in sources("flows") for n in ours(p) if n.startswith("stages")]


def parts(method: str) -> dict[str, object]:
    """A method's trainable parts: what can be restored."""
    folder = ROOT / "stages" / "methods" / method
    modules = {p.stem: importlib.import_module(f"stages.methods.{method}.{p.stem}") for p in folder.glob("*.py")}
    return {name: m for name, m in modules.items() if hasattr(m, "restore")}


@pytest.fixture(scope="module")
def graph():
    with Repo(str(ROOT)) as repo:
        yield {stage.name: stage for stage in repo.index.stages}


@pytest.fixture(scope="module")
def values():
    return params.read(ROOT / "params.yaml")


def test_folders_params_and_stages_bear_the_same_names(graph, values):
    assert set(values["methods"]) == set(FOLDERS)
    for method in FOLDERS:
        staged = {name.split("@")[1] for name in graph if name.startswith(f"{method}@")}
        assert staged == set(parts(method))
        assert set(parts(method)) | {"inpaint"} <= set(values["methods"][method])
        assert {f"sample@{method}", f"benchmark@{method}"} <= set(graph)


@pytest.mark.parametrize("method", METHODS)
def test_a_part_hangs_off_its_parents_and_nothing_else(graph, method):
    for part, module in parts(method).items():
        read = {str(d.def_path) for d in graph[f"{method}@{part}"].deps if d.hash_name == "md5"}
        models = {p for p in read if p.startswith("data/models/")}
        assert models == {f"data/models/{method}/{parent}" for parent in module.PARENTS}
        assert f"stages/methods/{method}/{part}.py" in read


@pytest.mark.parametrize("method", METHODS)
def test_a_part_watches_the_params_that_it_reads_and_no_others(graph, values, method):
    for part, module in parts(method).items():
        asked = {name for dep in graph[f"{method}@{part}"].params for name in dep.params}
        shared = {f"methods.{method}.{name}" for name in module.SHARED} or {"data.dataset"}
        masks = values["methods"][method][part].get("masks", "none")
        assert asked == {f"methods.{method}.{part}", f"masks.{masks}"} | shared


def test_artefacts_lie_where_the_graph_says(graph, monkeypatch):
    monkeypatch.delenv("PLURIFILL_DATA", raising=False)
    for method in METHODS:
        for part in parts(method):
            outs = [str(out.def_path) for out in graph[f"{method}@{part}"].outs]
            assert outs == [str(paths.model(method, part))]
        assert str(graph[f"sample@{method}"].outs[0].def_path) == str(paths.samples(method))


def test_every_stage_names_its_kind_and_its_verb(graph):
    for name, stage in graph.items():
        assert stage.meta["kind"] in {"cpu", "gpu"}, name
        assert stage.cmd.split()[0] == "plurifill" and stage.cmd.split()[1] in app.verbs()


def test_no_machine_or_registry_is_named():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock and "index-url" not in lock
