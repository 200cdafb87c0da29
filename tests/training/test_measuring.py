"""Ranks that share val out tell the figures of one process, bit for bit."""

import math
import subprocess
import sys

import pytest
import torch

from tests.training import measured_parts


@pytest.fixture(scope="module")
def found(tmp_path_factory, two_ranks):
    """What a pair of processes has left, by part."""
    folder = tmp_path_factory.mktemp("measured")
    with subprocess.Popen([sys.executable, "-m", "tests.training.measured_parts", str(folder)], env=two_ranks) as other:
        measured_parts.main(folder)
    assert other.returncode == 0
    return torch.load(folder / "figures.pt")


def test_every_part_of_every_method(found):
    _, plans = measured_parts.tiny()
    assert plans and found.keys() == {"noisy", *(plan.title for plan in plans)}
    for title, told in found.items():
        assert told["one"] and told["two"] == told["one"], title
        assert all(math.isfinite(value) for value in told["one"].values()), title


def test_a_rank_makes_no_batch_that_another_measures(found):
    assert all(told["asked"] == [0, 2] for told in found.values())
