"""A result's configuration holds its code: the closure of a part, what changes its digest, and what DVC watches."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from stages.project import code, plugins

ROOT = Path(__file__).resolve().parents[2]
METHODS = [name for name in plugins.names("stages.methods") if plugins.find(f"stages.methods.{name}", "inpaint")]
FLOW_PRIOR = "stages/methods/flow_fill/prior.py"
SAMPLER = "stages/methods/latent_codes/sampling/sampler.py"


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def parts(method: str) -> list[str]:
    return [name for name in plugins.names(f"stages.methods.{method}") if name not in {"inpaint", "blocks", "sampling"}]


PARTS = [(method, part) for method in METHODS for part in parts(method)]
ENTRIES = [*((m, p) for m, p in PARTS), *((m, "inpaint") for m in METHODS)]


@pytest.fixture(scope="module")
def watched() -> dict[str, set[str]]:
    """Stage -> the paths below stages/ that DVC watches for it."""
    with Repo(str(ROOT)) as repo:
        return {s.name: {d.def_path for d in s.deps if d.def_path.startswith("stages/")} for s in repo.index.stages}


def covered(path: str, watched: set[str]) -> set[str]:
    """The watched entries that hold a file."""
    return {entry for entry in watched if path == entry or path.startswith(f"{entry}/")}


def closure(*modules: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in code.closure(modules).values()}


@pytest.mark.parametrize(("method", "part"), PARTS)
def test_dvc_watches_a_parts_closure_and_nothing_else_of_its_method(watched, method, part):
    own = f"stages/methods/{method}/"
    read = set(getattr(plugins.find(f"stages.methods.{method}", part), "PARENTS", ()))
    parents = {f"{own}{name}.py" for name in read}  # their code reaches this part by their models' configs
    found = closure(f"stages.methods.{method}.{part}") - parents
    entries = watched[f"{method}@{part}"]
    assert not [path for path in found if not covered(path, entries)]
    assert {entry for path in found for entry in covered(path, entries) if entry.startswith(own)} == {
        entry for entry in entries if entry.startswith("stages/methods/")
    }


@pytest.mark.parametrize("method", METHODS)
def test_dvc_watches_the_closure_of_sampling(watched, method):
    entries = watched[f"sample@{method}"]
    found = closure(f"stages.methods.{method}.inpaint", "stages.sampling.sampler", "stages.sampling.testsets")
    assert not [path for path in found if not covered(path, entries)]
    assert {entry for entry in entries if entry.startswith("stages/methods/")} == {f"stages/methods/{method}"}


def test_dvc_watches_all_that_makes_scores(watched):
    found = code.closure(["stages.benchmark", "stages.evaluation.results"], ("stages.evaluation", "stages.metrics"))
    needed = {path for path in (str(p.relative_to(ROOT)) for p in found.values()) if "/external/" not in path}
    for method in METHODS:
        assert not [path for path in needed if not covered(path, watched[f"benchmark@{method}"])]


@pytest.mark.parametrize("method", METHODS)
def test_every_block_of_a_method_is_read(method):
    """A file that no part and no inpainter reads is no block of the method."""
    read = closure(*(f"stages.methods.{method}.{name}" for name in (*parts(method), "inpaint")))
    written = {str(p.relative_to(ROOT)) for p in (ROOT / "stages/methods" / method).rglob("*.py") if p.stat().st_size}
    assert written == {path for path in read if path.startswith(f"stages/methods/{method}/")}


def test_a_closure_is_what_imports_reach():
    reached = closure("stages.methods.flow_fill.prior")
    assert {"stages/methods/flow_fill/prior.py", "stages/nets/glow.py", "stages/nets/coupling.py"} <= reached
    assert not [path for path in reached if "latent_codes" in path or path.startswith("stages/training/loop")]
    assert SAMPLER not in closure(*(f"stages.methods.latent_codes.{part}" for part in parts("latent_codes")))


EDITS = {  # file, what is replaced by what, whose digests change
    "a constant of the sampler": (SAMPLER, "pi / 2 * step", "pi / 3 * step", {"latent_codes.inpaint"}),
    "a constant that all parts import": (
        "stages/methods/latent_codes/blocks/adversary.py",
        "(0.5, 0.9)",
        "(0.0, 0.9)",
        {
            "latent_codes.vq",
            "latent_codes.encoder",
            "latent_codes.prior",
            "latent_codes.decoder",
            "latent_codes.inpaint",
        },
    ),
    "a block of one part": (
        "stages/methods/latent_codes/blocks/composer.py",
        "class Composer",
        "X = 1\nclass Composer",
        {"latent_codes.decoder", "latent_codes.inpaint"},
    ),
    "a net": (
        "stages/nets/coupling.py",
        "def forward",
        "def backward",
        {"flow_fill.prior", "flow_fill.decoder", "flow_fill.inpaint"},
    ),
    "a comment": ("stages/nets/coupling.py", "def forward", "# a remark\n    def forward", set()),
    "a file that nothing computes by": ("stages/sampling/serving.py", "import", "import os\nimport", set()),
}
SCRIPT = """
import json, sys
from pathlib import Path
from stages.project import code
names, edits = json.loads(sys.stdin.read())
digests = lambda: {name: code.digest("stages.methods." + name) for name in names}
before, told = digests(), {}
for title, (path, old, new) in edits.items():
    text = Path(path).read_text()
    assert old in text, title
    Path(path).write_text(text.replace(old, new, 1))
    after = digests()
    told[title] = [name for name in names if after[name] != before[name]]
    Path(path).write_text(text)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory) -> dict[str, set[str]]:
    """By edit of a copy of the code: the parts and inpainters that get another digest."""
    root = tmp_path_factory.mktemp("code")
    shutil.copytree(ROOT / "stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    flow_prior = (root / FLOW_PRIOR).read_text()
    plain = ast.unparse(ast.parse(flow_prior)).replace('"""', '"""Said otherwise. ', 1) + "\n# a remark\n"
    assert plain != flow_prior
    edits = {title: edit[:3] for title, edit in EDITS.items()} | {"a layout": (FLOW_PRIOR, flow_prior, plain)}
    given = json.dumps([[f"{method}.{name}" for method, name in ENTRIES], edits])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, env={"PYTHONPATH": str(root)}, input=given, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return {title: set(names) for title, names in json.loads(done.stdout).items()}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_changes_the_digests_of_what_reads_it_and_of_nothing_else(changed, edit):
    assert changed[edit] == EDITS[edit][3]


def test_another_layout_other_docstrings_and_no_comments_change_nothing(changed):
    assert changed["a layout"] == set()
