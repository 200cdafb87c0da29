"""Two ranks learn what one learns."""

import subprocess
import sys

import torch

from tests.training import toys
from tests.training.toys import go, loop


def test_two_ranks_equal_one_to_rounding(tmp_path, two_ranks):
    """Plain and GAN; 8 images on one rank are 4 on each of two."""
    command = [sys.executable, "-m", "tests.training.toys", str(tmp_path / "two"), "-1"]
    with subprocess.Popen(command, env=two_ranks) as other:
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
