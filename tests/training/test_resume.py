"""A run that was stopped and started again is the run that was not."""

import hashlib
import io
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages.contract import Batch, UserError
from stages.project import tables
from stages.project.hashing import SHOWN
from stages.project.signals import Interrupted
from tests.training.toys import batches, go, loop, run


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def stopping(at, signum=signal.SIGTERM):
    """Batches; whoever asks for number `at` is sent a signal."""

    def feed(k, rank, world) -> Batch:
        if k == at:
            os.kill(os.getpid(), signum)
        return batches(k, rank, world)

    return feed


def test_four_steps_are_two_and_a_kill_and_two_bit_for_bit(tmp_path):
    """A process dies by SIGKILL one step after its checkpoint; this one goes on from there."""
    command = [sys.executable, "-m", "tests.training.toys", str(tmp_path / "killed"), "3"]
    assert subprocess.run(command, timeout=120).returncode == -signal.SIGKILL
    assert [path.name[:14] for path in (tmp_path / "killed" / "plain").glob("step-*")] == ["step-000000002"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as that process had: how sums are split among threads shows in the last bit
    whole = go(tmp_path / "whole", loop(ema=0.5), noise=0.1)
    rest = go(tmp_path / "killed" / "plain", loop(ema=0.5), noise=0.1)
    torch.set_num_threads(threads)
    assert rest.restore() == 4 and equal(whole.tensors(), rest.tensors())


@pytest.mark.parametrize("kind", ["plain", "gan"])
def test_a_crash_costs_the_steps_since_the_checkpoint_and_nothing_else(tmp_path, kind):
    def feed(k, rank, world):
        if k == 3:
            raise MemoryError
        return batches(k, rank, world)

    block = loop(5, ema=0.5, clip=0.1, accumulate=2)
    with pytest.raises(MemoryError):
        go(tmp_path / "a", block, kind=kind, noise=0.1, feed=feed)
    again = go(tmp_path / "a", block, kind=kind, noise=0.1)
    whole = go(tmp_path / "b", block, kind=kind, noise=0.1)
    assert equal(again.tensors(), whole.tensors()) and again.history.rows == whole.history.rows


@pytest.mark.parametrize("signum, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_after_the_present_step_and_the_run_goes_on_from_there(tmp_path, signum, code):
    block = loop(5, save_every=100, ema=0.9, log_every=3)
    with pytest.raises(Interrupted) as stop:
        go(tmp_path / "a", block, noise=0.1, feed=stopping(1, signum))
    assert stop.value.code == code
    assert [path.name[:14] for path in (tmp_path / "a").glob("step-*")] == ["step-000000002"]
    seen = []
    again = go(tmp_path / "a", block, noise=0.1, feed=lambda k, r, w: seen.append(k) or batches(k, r, w))
    assert seen == [2, 3, 4]
    whole = go(tmp_path / "b", block, noise=0.1)
    assert equal(again.tensors(), whole.tensors())
    assert again.history.rows == whole.history.rows  # curves too, the mean over a log interval that was cut included


def test_who_looks_on_finds_the_curves_as_they_were_at_the_last_evaluation(tmp_path):
    block = loop(5, eval_every=2, log_every=1)
    with pytest.raises(Interrupted):
        go(tmp_path, block, noise=0.1, feed=stopping(3))
    assert tables.read(tmp_path / "curves")["step"].max() == 4
    rows = go(tmp_path, block, noise=0.1).history.rows
    assert list(tables.read(tmp_path / "curves").itertuples(index=False, name=None)) == rows
    assert {row[0] for row in rows if row[2] == "val"} == {0, 2, 4, 5}


def test_a_signal_in_the_last_step_leaves_a_finished_run(tmp_path):
    assert go(tmp_path, loop(2), feed=stopping(1)).restore() == 2


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-9] + b"x" + data[-8:]])
def test_a_damaged_newest_checkpoint_falls_back_to_the_older_with_a_warning(tmp_path, capsys, damage):
    whole = go(tmp_path, loop(4), noise=0.1)
    older, newest = sorted(tmp_path.glob("step-*.pt"))
    assert older.name.startswith("step-000000002")
    newest.write_bytes(damage(newest.read_bytes()))
    seen = []
    again = go(tmp_path, loop(4), noise=0.1, feed=lambda k, r, w: seen.append(k) or batches(k, r, w))
    assert seen == [2, 3] and equal(whole.tensors(), again.tensors())
    assert f"{newest} is damaged" in capsys.readouterr().err


def forged(folder, data):
    """What is no checkpoint, under a name that claims to be the newest and has its right checksum."""
    path = folder / f"step-{9:09}-{hashlib.sha256(data).hexdigest()[:SHOWN]}.pt"
    path.write_bytes(data)
    return path


def as_torch_saves(value):
    data = io.BytesIO()
    torch.save(value, data)
    return data.getvalue()


class Code:
    """A pickle that makes the folder `ran`."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


BOGUS = {
    "text": b"half",
    "nothing": b"",
    "one byte": b"a",
    "no state": as_torch_saves([1, 2]),
    "another state": as_torch_saves({"weight": torch.zeros(3)}),
    "a pickle": pickle.dumps(Code(), 2),
    "a pickle as torch saves it": as_torch_saves({"step": Code()}),
}


@pytest.mark.parametrize("bogus", BOGUS)
def test_a_truncated_checkpoint_and_a_bogus_newer_one_fall_back_and_no_code_is_run(
    tmp_path, capsys, monkeypatch, bogus
):
    monkeypatch.chdir(tmp_path)
    whole = go(tmp_path / "run", loop(4), noise=0.1)
    newest = sorted((tmp_path / "run").glob("step-*.pt"))[-1]
    newest.write_bytes(newest.read_bytes()[:-40])
    newer = forged(tmp_path / "run", BOGUS[bogus])
    unsummed = tmp_path / "run" / "step-000000008-.pt"
    unsummed.write_bytes(b"half")
    again = go(tmp_path / "run", loop(4), noise=0.1)
    assert equal(whole.tensors(), again.tensors()) and not Path("ran").exists()
    told = capsys.readouterr().err
    assert all(f"{path} is damaged" in told for path in (newer, unsummed, newest))


def test_with_all_checkpoints_damaged_the_run_starts_anew(tmp_path):
    whole = go(tmp_path, loop(4))
    for path in tmp_path.glob("step-*.pt"):
        path.write_bytes(b"")
    assert equal(whole.tensors(), go(tmp_path, loop(4)).tensors())


def test_two_checkpoints_are_kept_and_an_abandoned_half_is_swept(tmp_path):
    (tmp_path / ".part-1").write_bytes(b"half")
    go(tmp_path, loop(9))
    assert sorted(path.name[:14] for path in tmp_path.glob("step-*")) == ["step-000000008", "step-000000009"]
    assert not list(tmp_path.glob(".part-*"))


def test_batches_drawn_ahead_by_threads_change_nothing(tmp_path):
    assert equal(go(tmp_path / "a", loop(6)).tensors(), go(tmp_path / "b", loop(6, workers=3)).tensors())


def test_a_batch_that_does_not_divide_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"loop.batch = 8 does not divide"):
        go(tmp_path, loop(accumulate=3))


def test_one_seed_repeats_and_two_differ(tmp_path):
    tensors = [go(tmp_path / str(i), loop(seed=seed)).tensors() for i, seed in enumerate([3, 3, 4])]
    assert equal(tensors[0], tensors[1]) and not equal(tensors[0], tensors[2])


def test_evaluation_leaves_no_trace_in_training(tmp_path):
    often, never = (go(tmp_path / str(n), loop(6, eval_every=n), noise=0.1) for n in (1, 0))
    assert equal(often.tensors(), never.tensors())
    assert often.run.part.model.training
    assert (tmp_path / "1" / "pictures" / "filled.png").is_file()


def test_the_state_is_readable_without_unpickling_code(tmp_path):
    go(tmp_path, loop())
    run(tmp_path, loop())
    assert all(torch.load(path, weights_only=True)["step"] for path in tmp_path.glob("step-*.pt"))
