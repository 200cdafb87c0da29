"""Two ranks learn what one learns."""

import socket
import subprocess
import sys

import pytest
import torch

from tests.training import toys
from tests.training.toys import go, loop


def are_one(folder):
    """What ranks have left in `two` is what one process learns, to rounding; so are the logged losses' means."""
    for kind in ("plain", "gan"):
        one = go(folder / "one" / kind, loop(ema=0.5), kind=kind)
        two = torch.load(folder / "two" / f"{kind}.pt")
        assert all(torch.allclose(tensor, two[name], atol=1e-5) for name, tensor in one.tensors().items())
        state = torch.load(next((folder / "two" / kind).glob("step-000000004-*")))
        curves = {row[:4]: row[4] for row in state["history"]["rows"]}
        assert one.history.rows
        assert all(abs(curves[row[:4]] - row[4]) < 1e-5 for row in one.history.rows)


def test_two_ranks_equal_one_to_rounding(tmp_path, two_ranks):
    """Plain and GAN; 8 images on one rank are 4 on each of two."""
    command = [sys.executable, "-m", "tests.training.toys", str(tmp_path / "two"), "-1"]
    with subprocess.Popen(command, env=two_ranks) as other:
        toys.main(tmp_path / "two", -1)
    assert other.returncode == 0
    are_one(tmp_path)


@pytest.mark.long  # four processes that import torch
def test_two_nodes_that_meet_at_one_address_equal_one_process_to_rounding(tmp_path):
    """A torchrun each, of one rank, as on two machines."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meet = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free.getsockname()[1]}"]
    node = ["--nnodes", "2", "--nproc-per-node", "1", "--local-addr", "127.0.0.1", *meet]
    command = [sys.executable, "-m", "torch.distributed.run", *node, "-m", "tests.training.toys"]
    nodes = [subprocess.Popen([*command, str(tmp_path / "two"), "-1"]) for _ in range(2)]
    assert [one.wait(240) for one in nodes] == [0, 0]
    are_one(tmp_path)
