"""The whole pipeline, on real photographs, by the commands that a user types, at the tiny preset."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
KEPT = (
    "stages", "flows", "presets", ".dvcignore", "dvc.yaml", "params.yaml", "prefect.yaml", ".dvc/config",
    ".dvc/.gitignore", ".gitignore", "data/external", "reports/sweeps/.gitignore",
)  # fmt: skip


def call(project: Path, *command: str, expect: int = 0) -> str:
    """Run a command in the project; its whole output."""
    done = subprocess.run(command, cwd=project, env=environment(), text=True, capture_output=True)
    assert done.returncode == expect, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def environment() -> dict[str, str]:
    """The user's environment, on CPU, with MLflow's database inside the project."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PLURIFILL_DATA", "PREFECT_"))}
    return own | {"CUDA_VISIBLE_DEVICES": "", "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


def commit(project: Path) -> None:
    call(project, "git", "add", "--all")
    call(project, "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "x")


def edit(project: Path, dotted: str, value: object) -> None:
    """Set one key of params.yaml, as a user does in an editor."""
    yaml = YAML()
    params = yaml.load(project / "params.yaml")
    *parents, leaf = dotted.split(".")
    block = params
    for key in parents:
        block = block[key]
    assert leaf in block, dotted
    block[leaf] = value
    yaml.dump(params, project / "params.yaml")


def fresh(folder: Path) -> Path:
    """A copy of the project at the tiny preset in a git repository of its own; nothing is made yet."""
    for name in KEPT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    call(folder, "git", "init", "--quiet")
    call(folder, "plurifill", "preset", "tiny")
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A fresh copy of the project at the tiny preset, reproduced once."""
    folder = fresh(tmp_path_factory.mktemp("project"))
    call(folder, "dvc", "repro")
    commit(folder)
    return folder


def stale(project: Path) -> set[str]:
    """The stages that DVC says are changed themselves (descendants follow when it runs)."""
    found = json.loads(call(project, "dvc", "status", "--json"))
    return set(found)


@pytest.fixture
def scratch(project: Path):
    """The reproduced project, its params.yaml put back after the test."""
    before = (project / "params.yaml").read_bytes()
    yield project
    (project / "params.yaml").write_bytes(before)


def test_a_second_repro_has_nothing_to_do(project):
    assert "up to date" in call(project, "dvc", "repro")


def test_the_report_stands_alone_and_names_every_method(project):
    page = (project / "reports" / "index.html").read_text()
    assert "latent_codes" in page and "telea" in page
    assert "003 F6: one image" in page and "003 F7: large holes: box" in page
    assert not [word for word in ('src="http', 'href="http', "url(http") if word in page]


def test_scores_are_finite_and_cover_every_protocol(project):
    protocols = YAML(typ="safe").load(project / "params.yaml")["protocols"]
    scores = pd.read_parquet(project / "reports" / "scores" / "latent_codes.parquet")
    assert set(scores["protocol"]) == set(protocols)
    assert scores["value"].notna().all()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("methods.latent_codes.inpaint.temperature", 0.5, {"sample@latent_codes"}),
        ("methods.latent_codes.token_mask.alpha", 0.25, {"latent_codes@encoder", "latent_codes@decoder"}),
        ("methods.latent_codes.prior.lr", 1e-4, {"latent_codes@prior"}),
    ],
)
def test_what_goes_stale(scratch, key, value, expected):
    edit(scratch, key, value)
    assert stale(scratch) == expected


def test_a_protocol_is_scored_again_but_not_sampled_again(scratch):
    protocols = YAML(typ="safe").load(scratch / "params.yaml")["protocols"]
    name = next(iter(protocols))
    edit(scratch, f"protocols.{name}.composite", not protocols[name]["composite"])
    assert {s.split("@")[0] for s in stale(scratch)} == {"benchmark", "report"}


def test_an_experiment_with_another_temperature_samples_and_scores_only(scratch):
    said = call(scratch, "dvc", "exp", "run", "-S", "methods.latent_codes.inpaint.temperature=0.5")
    assert "Running stage 'sample@latent_codes'" in said and "Running stage 'benchmark@latent_codes'" in said
    assert "Running stage 'latent_codes@" not in said
    call(scratch, "git", "checkout", "--", ".")
    call(scratch, "dvc", "checkout", "--force")


def test_a_killed_repro_goes_on_in_the_middle_of_a_part(scratch):
    edit(scratch, "methods.latent_codes.prior.loop.seed", 7)
    progress = scratch / "data" / "progress" / "latent_codes" / "prior"
    with subprocess.Popen(
        ["dvc", "repro", "--single-item", "latent_codes@prior"], cwd=scratch, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as running:  # fmt: skip
        while not list(progress.glob("*/step-*")) and running.poll() is None:
            time.sleep(0.05)
        assert running.poll() is None, "the part ended before it could be killed"
        os.killpg(running.pid, signal.SIGKILL)
    time.sleep(1)  # a lock of the killed process clears when its PID is gone
    assert "resumed at step" in call(scratch, "dvc", "repro", "--single-item", "latent_codes@prior")


def killed(project: Path, stage: str, due: Callable[[], bool]) -> bool:
    """Run a stage by DVC, and kill -9 all of it when it is due; False where it ended before."""
    command = ["dvc", "repro", "--force", "--single-item", stage]
    with subprocess.Popen(
        command, cwd=project, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        while not due() and running.poll() is None:
            time.sleep(0.005)
        if running.poll() is not None:
            return False
        os.killpg(running.pid, signal.SIGKILL)
    time.sleep(1)  # a lock of the killed process clears when its PID is gone
    return True


def scores(project: Path) -> tuple[pd.DataFrame, pd.DataFrame, object, object]:
    """All that a benchmark leaves, but for what tells of time."""
    folder = project / "reports" / "scores"
    notes = json.loads((folder / "latent_codes.cards.json").read_text())
    told = {key: value for key, value in notes.items() if key != "cost"}
    tables = (pd.read_parquet(folder / f"latent_codes{ending}.parquet") for ending in ("", ".summary"))
    return *tables, json.loads((folder / "latent_codes.json").read_text()), told


def same(one: tuple, other: tuple) -> None:
    for a, b in zip(one[:2], other[:2], strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert one[2:] == other[2:]


@pytest.mark.long
def test_sampling_and_scoring_killed_at_five_random_times_each_end_as_undisturbed(scratch):
    draws, pieces = random.Random(), scratch / "data" / "progress" / "latent_codes" / "samples"
    edit(scratch, "draws.box.samples", 64)  # an image is a piece: 16 of them
    for verb in ("sample", "benchmark"):
        begin = time.monotonic()
        call(scratch, "dvc", "repro", "--single-item", f"{verb}@latent_codes")
        took = time.monotonic() - begin
    undisturbed = scores(scratch)

    for done in sorted(draws.sample(range(2, 16, 2), 5)):  # apart, so that each run draws before it is killed
        assert killed(scratch, "sample@latent_codes", lambda d=done: len(list(pieces.glob("*/*.json"))) >= d), done
    said = call(scratch, "dvc", "repro", "--force", "--single-item", "sample@latent_codes")
    draw = json.loads((scratch / "data/samples/latent_codes/box/plain/draw.json").read_text())
    assert draw["reused"] > 0 and draw["reused"] + draw["made"] == 16 * 64
    assert f"{draw['reused']} samples taken over from an earlier run" in said
    print(f"sample: {draw['reused']} of {16 * 64} taken over after five kills")

    kills = 0
    while kills < 5:
        at = time.monotonic() + draws.uniform(0.1, 0.9) * took
        kills += killed(scratch, "benchmark@latent_codes", lambda at=at: time.monotonic() > at)
    call(scratch, "dvc", "repro", "--force", "--single-item", "benchmark@latent_codes")
    same(scores(scratch), undisturbed)
    call(scratch, "git", "checkout", "--", ".")
    call(scratch, "dvc", "checkout", "--force")
