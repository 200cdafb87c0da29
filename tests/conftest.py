"""What every test shares: two torch threads, telemetry off, and the developers' images where they are there."""

import os
from pathlib import Path

import pytest
import torch

for name, value in {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}.items():
    os.environ.setdefault(name, value)
torch.set_num_threads(2)


@pytest.fixture(scope="session")
def real_images() -> Path:
    """The folder of real images for developing (PLURIFILL_TEST_DATA); tests that need it skip without it."""
    folder = os.environ.get("PLURIFILL_TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PLURIFILL_TEST_DATA names no folder of real images")
    return Path(folder)
