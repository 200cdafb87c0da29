"""Two ranks of one run: this process and one that a test starts."""

import os
import socket

import pytest


@pytest.fixture(scope="module")
def two_ranks():
    """This process is rank 0 of 2, as torchrun would tell it; the value is the other one's environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "RANK": "0"}.items():
            patch.setenv(name, value)
        yield {**os.environ, "RANK": "1"}
