"""Arrays come back as they were pickled; a pickle that names anything else is refused, and nothing of it is run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from stages.project import numpy_pickles


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_in_plain_containers_come_back(protocol: int) -> None:
    kernel, bias = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype(np.float32), np.arange(4.0)
    found = numpy_pickles.loads(pickle.dumps({"Net": {"kernel": kernel, "bias": [bias]}}, protocol))
    assert np.array_equal(found["Net"]["kernel"], kernel) and found["Net"]["kernel"].dtype == np.float32
    assert np.array_equal(found["Net"]["bias"][0], bias)


def test_numpys_older_name_of_its_module_is_read() -> None:
    today = pickle.dumps(np.arange(3), protocol=3)
    assert b"numpy._core" in today
    assert np.array_equal(numpy_pickles.loads(today.replace(b"numpy._core", b"numpy.core")), np.arange(3))


class Runs:
    """What calls a function when it is unpickled."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.mkdir, os.system, eval, np.save, np.load, Path, getattr])
def test_whatever_else_is_named_is_refused_before_it_is_run(function, tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(pickle.UnpicklingError, match="in a pickle that is to hold arrays alone"):
        numpy_pickles.loads(pickle.dumps({"a": np.zeros(2), "b": Runs(function, str(made))}))
    assert not made.exists()


def test_a_reference_to_what_lies_elsewhere_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError):
        numpy_pickles.loads(b"Pelsewhere\n.")
