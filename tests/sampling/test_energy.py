"""Joules: measured where a GPU counts them, absent with the reason elsewhere; what is a sample's share."""

import pandas as pd
import pytest
import torch

from stages.evaluation.results import joules
from stages.sampling.energy import Meter, meter


def test_a_cpu_has_no_joules_and_says_so():
    told = meter(torch.device("cpu"))
    assert told.read is None and told.reason == "joules are measured on NVIDIA GPUs alone"
    assert told.since(None) is None


def test_a_reading_is_a_difference():
    counter = iter([10.0, 13.5])
    told = Meter(lambda: next(counter))
    assert told.read and told.since(told.read()) == 3.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_that_works_uses_energy():
    pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    told = meter(torch.device("cuda"))
    assert told.read is not None, told.reason
    before, a = told.read(), torch.rand(4096, 4096, device="cuda")
    for _ in range(200):
        a = (a @ a).softmax(0)
    torch.cuda.synchronize()
    assert (told.since(before) or 0.0) > 0.0


def test_a_samples_share_leaves_out_the_warm_up():
    rows = [
        (True, 90.0, 4),
        (False, 8.0, 4),
        (False, 4.0, 4),
        (False, None, 4),
    ]  # the last: a phase, not the whole call
    latency = pd.DataFrame(rows, columns=["warm_up", "joules", "samples"])
    assert joules(latency) == pytest.approx(12.0 / 8)
    assert joules(latency.assign(joules=float("nan"))) is None
