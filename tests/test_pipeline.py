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

from stages.project.hashing import of_file
from tests.graph_copy import call, commit, edit, environment, fresh

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
SAMPLER = "stages/methods/latent_codes/sampling/sampler.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A fresh copy of the project at the tiny preset, reproduced once."""
    folder = fresh(tmp_path_factory.mktemp("project"))
    call(folder, "dvc", "repro")
    commit(folder)
    return folder


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


def weights(project: Path) -> dict[str, str]:
    """sha256 of every trained part."""
    found = project.glob("data/models/*/*/model.safetensors")
    return {str(path.relative_to(project)): of_file(path) for path in found}


def test_another_sampler_draws_again_and_trains_nothing(scratch):
    before, path = weights(scratch), scratch / SAMPLER
    text = path.read_text()
    assert "floor(missing * cos(" in text
    path.write_text(text.replace("floor(missing * cos(", "int(missing * cos(", 1))  # the same numbers by other code
    said = call(scratch, "dvc", "repro")
    assert "Running stage 'sample@latent_codes'" in said and "taken over from an earlier run" not in said
    assert "Running stage 'latent_codes@" not in said and "Running stage 'sample@flow_fill'" not in said
    assert weights(scratch) == before
    path.write_text(text)
    call(scratch, "dvc", "repro")


def test_a_comment_in_a_block_trains_and_draws_nothing(scratch):
    before, path = weights(scratch), scratch / "stages/methods/latent_codes/blocks/noise.py"
    text = path.read_text()
    path.write_text(text + "\n# a remark\n")
    said = call(scratch, "dvc", "repro")
    assert said.count("trained already, in this very configuration") == 4
    assert said.count("samples taken over from an earlier run") == 3 and "Running stage 'benchmark@" not in said
    assert weights(scratch) == before
    path.write_text(text)
    call(scratch, "dvc", "repro")


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
    verb, method = stage.split("@")
    if verb == "sample":  # samples that stand would be put back
        shutil.rmtree(project / "data" / "progress" / "finished" / method / "samples", ignore_errors=True)
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


def test_sampling_and_scoring_killed_at_five_random_times_each_end_as_undisturbed(scratch):
    rng, pieces = random.Random(), scratch / "data" / "progress" / "latent_codes" / "samples"
    edit(scratch, "testsets.box.samples", 64)  # an image is a piece: 16 of them
    for verb in ("sample", "benchmark"):
        begin = time.monotonic()
        call(scratch, "dvc", "repro", "--single-item", f"{verb}@latent_codes")
        took = time.monotonic() - begin
    undisturbed = scores(scratch)

    for done in sorted(rng.sample(range(2, 16, 2), 5)):  # apart, so that each run draws before it is killed
        assert killed(scratch, "sample@latent_codes", lambda d=done: len(list(pieces.glob("*/*.json"))) >= d), done
    said = call(scratch, "dvc", "repro", "--force", "--single-item", "sample@latent_codes")
    told = json.loads((scratch / "data/samples/latent_codes/box/plain/store.json").read_text())
    assert told["reused"] > 0 and told["reused"] + told["made"] == 16 * 64
    assert f"{told['reused']} samples taken over from an earlier run" in said
    print(f"sample: {told['reused']} of {16 * 64} taken over after five kills")

    kills = 0
    while kills < 5:
        at = time.monotonic() + rng.uniform(0.1, 0.9) * took
        kills += killed(scratch, "benchmark@latent_codes", lambda at=at: time.monotonic() > at)
    call(scratch, "dvc", "repro", "--force", "--single-item", "benchmark@latent_codes")
    same(scores(scratch), undisturbed)
    call(scratch, "git", "checkout", "--", ".")
    call(scratch, "dvc", "checkout", "--force")
