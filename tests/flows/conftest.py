"""Houses: their servers and workers start once."""

from collections.abc import Iterator

import pytest

from tests import test_pipeline
from tests.flows import toy
from tests.flows.house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The toy, nothing made yet."""
    with House.opened(toy.make(tmp_path_factory.mktemp("house") / "toy")) as found:
        yield found


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The project itself at the tiny preset, nothing made yet."""
    with House.opened(test_pipeline.fresh(tmp_path_factory.mktemp("tiny") / "project")) as found:
        yield found
