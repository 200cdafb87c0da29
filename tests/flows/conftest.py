"""One house for all: servers and workers start once."""

from collections.abc import Iterator

import pytest

from tests.flows import toy
from tests.flows.house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The toy with servers, two slots' workers and the deployments."""
    found = House.of(toy.make(tmp_path_factory.mktemp("house") / "toy"), slots=2)
    try:
        found.flows("ui", "start")
        found.flows("workers", "start")
        found.flows("deploy")
        yield found
    finally:
        found.close()
