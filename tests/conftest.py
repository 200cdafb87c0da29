"""What tests share: torch's threads, telemetry off, a browser, the developers' images where they are there."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = os.environ.get("PLURIFILL_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"

for name, value in {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}.items():
    os.environ.setdefault(name, value)
os.environ |= {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}  # no test takes weights from a registry
if "PYTEST_XDIST_WORKER" in os.environ:  # tests run side by side: a core each, for what they start too
    os.environ["OMP_NUM_THREADS"] = "1"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background: so would all that tests start
    signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


@pytest.fixture
def draw() -> random.Random:
    """Random numbers that are the same in every run."""
    return random.Random(0)


@pytest.fixture(scope="session")
def real_images() -> Path:
    """The folder of real images for developing (PLURIFILL_TEST_DATA); tests that need it skip without it."""
    folder = os.environ.get("PLURIFILL_TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PLURIFILL_TEST_DATA names no folder of real images")
    return Path(folder)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real one, headless."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"no browser at {CHROMIUM}: install chromium, or name one by PLURIFILL_CHROMIUM")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
