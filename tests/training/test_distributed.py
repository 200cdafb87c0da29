"""Two ranks learn what one learns."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from tests.training import toys
from tests.training.toys import go, loop


@pytest.fixture
def place(monkeypatch):
    """This process is rank 0 of 2, as torchrun would tell it; the value is the other one's environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, "RANK": "1"}


def test_two_ranks_equal_one_to_rounding(tmp_path, place):
    """Plain and GAN; 8 images on one rank are 4 on each of two."""
    command = [sys.executable, "-m", "tests.training.toys", str(tmp_path / "two"), "-1"]
    with subprocess.Popen(command, env=place) as other:
        toys.main(tmp_path / "two", -1)
    assert other.returncode == 0
    for kind in ("plain", "gan"):
        one = go(tmp_path / "one" / kind, loop(ema=0.5), kind=kind)
        two = torch.load(tmp_path / "two" / f"{kind}.pt")
        assert all(torch.allclose(tensor, two[name], atol=1e-5) for name, tensor in one.tensors().items())
        state = torch.load(next((tmp_path / "two" / kind).glob("step-000000004-*")))
        curves = {row[:4]: row[4] for row in state["history"]["rows"]}
        assert one.history.rows  # the logged losses are means over ranks
        assert all(abs(curves[row[:4]] - row[4]) < 1e-5 for row in one.history.rows)
