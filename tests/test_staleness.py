"""What DVC finds stale after a change of a key or of code: what reads it, and nothing else.

The graph is the project's own; in the place of its results lie small files, told to DVC by `dvc commit`.
"""

from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from tests.graph_copy import call, commit, edit, fresh

VERBS = {"shard", "sample", "benchmark", "report"}
ROOT = Path(__file__).resolve().parent.parent
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
LEARNT = {f"{name}@{part}" for name, block in STAGES.items() if name not in VERBS for part in block["foreach"]}
SAMPLED = {f"sample@{method}" for method in YAML(typ="safe").load(ROOT / "dvc.yaml")["vars"][0]["reads"]}


def parts(method: str) -> set[str]:
    """The stages of a method's trained parts."""
    return {stage for stage in LEARNT if stage.startswith(f"{method}@")}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Every stage as if it had been run."""
    folder = fresh(tmp_path_factory.mktemp("graph"))
    with Repo(str(folder)) as repo:
        outs = [folder / out.def_path for stage in repo.index.stages for out in stage.outs]
    for path in outs:
        made = path if path.suffix else path / "made.txt"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(str(path.relative_to(folder)))
    call(folder, "dvc", "commit", "--force", "--quiet")
    commit(folder)
    return folder


@pytest.fixture
def scratch(project: Path):
    """The project, put back after the test."""
    yield project
    call(project, "git", "checkout", "--quiet", "--", ".")


def stale(project: Path) -> set[str]:
    """The stages that DVC says are changed themselves (descendants follow when it runs)."""
    with Repo(str(project)) as repo:
        return {name.rpartition(":")[2] for name in repo.status()}  # of a project elsewhere the path comes first


def test_at_first_nothing_is_stale(project):
    assert stale(project) == set()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("methods.latent_codes.inpaint.temperature", 0.5, {"sample@latent_codes"}),
        ("methods.latent_codes.token_mask.alpha", 0.25, {"latent_codes@encoder", "latent_codes@decoder"}),
        ("methods.latent_codes.prior.lr", 1e-4, {"latent_codes@prior"}),
        ("methods.flow_fill.prior.bits", 6, {"flow_fill@prior"}),
    ],
)
def test_a_key_makes_stale_what_reads_it(scratch, key, value, expected):
    edit(scratch, key, value)
    assert stale(scratch) == expected


def test_a_protocol_is_scored_again_but_not_sampled_again(scratch):
    protocols = YAML(typ="safe").load(scratch / "params.yaml")["protocols"]
    name = next(iter(protocols))
    edit(scratch, f"protocols.{name}.composite", not protocols[name]["composite"])
    assert {s.split("@")[0] for s in stale(scratch)} == {"benchmark", "report"}


def test_a_mask_generator_makes_stale_the_parts_that_learn_with_it(scratch):
    values = YAML(typ="safe").load(scratch / "params.yaml")
    name = values["methods"]["flow_fill"]["prior"]["masks"]
    blocks = {stage: values["methods"][stage.split("@")[0]][stage.split("@")[1]] for stage in LEARNT}
    learns = {stage for stage, block in blocks.items() if block.get("masks") == name}
    edit(scratch, f"masks.{name}", {"generator": "box", "side": 0.3})
    assert stale(scratch) == learns | {"shard@photographs"}  # its test masks are frozen anew, too


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("stages/methods/latent_codes/sampling/sampler.py", {"sample@latent_codes"}),
        ("stages/methods/latent_codes/inpaint.py", {"sample@latent_codes"}),
        ("stages/methods/latent_codes/encoder.py", {"latent_codes@encoder", "sample@latent_codes"}),
        ("stages/methods/latent_codes/blocks/noise.py", parts("latent_codes") | {"sample@latent_codes"}),
        ("stages/methods/flow_fill/blocks/degradation.py", parts("flow_fill") | {"sample@flow_fill"}),
        ("stages/nets/coupling.py", LEARNT | SAMPLED),
        ("stages/sampling/sampler.py", SAMPLED),
        ("stages/sampling/serving.py", set()),
        ("stages/pages/page.py", {"report"}),
    ],
)
def test_code_is_looked_at_by_what_may_read_it(scratch, path, expected):
    """Of these, `plurifill train` and `sample` leave alone what the closure of the code does not concern."""
    with (scratch / path).open("a") as file:
        file.write("\nCHANGED = True\n")
    assert stale(scratch) == expected
