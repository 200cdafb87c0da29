"""A sample of `make faults`: every fault once, into a training, into shards, samples and scores."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import project, suite, verbs
from tests.faults.cases import SHARDING, Case, case, digests, sampling, scoring, training
from tests.faults.disk import NO_DISK, can_mount

FIRST = training("dsi", "vq")  # two codebooks that are no parameters, and the least time of all parts
COMMANDS = {command.title: command for command in (SHARDING, FIRST, sampling("classical"), scoring("classical"))}


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, Case]]:
    """The cases by title, each undisturbed once, in the pipeline's order."""
    folder = Path(tempfile.mkdtemp(prefix="plurifill-faults-"))
    verbs.warm()
    place = project.make(folder / "project")
    yield {title: case(place, folder / "places", command) for title, command in COMMANDS.items()}
    shutil.rmtree(folder, ignore_errors=True)


PAIRS = [(title, fault) for title, command in COMMANDS.items() for fault in suite.befalling(command)]


@pytest.mark.parametrize(("title", "fault"), PAIRS, ids=[f"{title}: {fault.__name__}" for title, fault in PAIRS])
def test_what_befalls_a_command_costs_time_and_nothing_else(made, title, fault):
    if fault.__name__ == "disk_full" and not can_mount():
        pytest.skip(NO_DISK)
    one = made[title]
    fault(one, random.Random(0))  # asserts that the command recovers
    assert digests(one.project, one.command) == one.result  # what others read of it is not touched
