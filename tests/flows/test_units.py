"""The systemd units: systemd reads them, they run the user's own commands, and leave a training its time to save."""

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flows import guard, supervisor
from tests.flows.toy import ROOT

UNITS = sorted((ROOT / "deploy").glob("*.service"))


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser["Service"]


@pytest.mark.parametrize("name", ["ui", "workers"])
def test_a_unit_runs_the_foreground_command_in_its_clone(name: str) -> None:
    own = service(ROOT / "deploy" / f"plurifill-{name}@.service")
    assert own["WorkingDirectory"] == "%f" and own["ExecStart"] == f"%f/.venv/bin/python -m flows.{name} run"
    assert own["KillMode"] == "mixed"  # else dvc gets a signal of its own, in the middle of a file
    assert float(own["TimeoutStopSec"]) > supervisor.STOP_S + supervisor.SAVE_S > guard.GRACE_S


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not installed")
    clone = tmp_path / "a clone-of mine"  # a path that systemd has to escape
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")
    escaped = subprocess.run(["systemd-escape", "--path", clone], capture_output=True, text=True, check=True).stdout
    named = tmp_path / unit.name.replace("@", f"@{escaped.strip()}")
    shutil.copy(unit, named)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run([analyze, "--user", "verify", named], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and unit.name not in done.stderr and named.name not in done.stderr, done.stderr
