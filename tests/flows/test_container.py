"""The image of containers: what reads such files finds no fault, and what is copied into it is not left out."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.flows.toy import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def test_hadolint_finds_no_fault() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "the extra dev has it"
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_what_is_copied_is_in_the_context() -> None:
    copied = [line.split()[1:-1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("COPY ")]
    left = (ROOT / ".dockerignore").read_text().split()
    assert left[0] == "*" and [f"!{name}" for names in copied for name in names] == left[1:]
    assert all((ROOT / name).is_file() for names in copied for name in names)
