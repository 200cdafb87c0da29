"""The project's files copied into a git repository of their own, for tests that run DVC there."""

import os
import shutil
import subprocess
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
KEPT = (
    "stages", "flows", "presets", ".dvcignore", "dvc.yaml", "params.yaml", "prefect.yaml", ".dvc/config",
    ".dvc/.gitignore", ".gitignore", "data/external", "reports/sweeps/.gitignore",
)  # fmt: skip


def environment() -> dict[str, str]:
    """The user's environment, on CPU, with MLflow's database inside the project."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PLURIFILL_DATA", "PREFECT_"))}
    return own | {"CUDA_VISIBLE_DEVICES": "", "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


def call(project: Path, *command: str, expect: int = 0) -> str:
    """Run a command in the project, by the code that lies there; its whole output."""
    own = environment() | {"PYTHONPATH": str(project)}
    done = subprocess.run(command, cwd=project, env=own, text=True, capture_output=True)
    assert done.returncode == expect, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def commit(project: Path) -> None:
    """All that git sees, as a commit."""
    call(project, "git", "add", "--all")
    call(project, "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "x")


def fresh(folder: Path) -> Path:
    """A copy of the project at the tiny preset in a git repository of its own; nothing is made yet."""
    for name in KEPT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    call(folder, "git", "init", "--quiet")
    call(folder, "plurifill", "preset", "tiny")
    commit(folder)
    return folder


def edit(project: Path, dotted: str, value: object) -> None:
    """Set one key of params.yaml, as a user does in an editor."""
    yaml = YAML()
    params = yaml.load(project / "params.yaml")
    *parents, leaf = dotted.split(".")
    block = params
    for key in parents:
        block = block[key]
    assert leaf in block, dotted
    block[leaf] = value
    yaml.dump(params, project / "params.yaml")
