"""The project's git repository, by the command."""

import subprocess
from pathlib import Path

from flows.errors import InvalidRequest


def run(root: Path, *words: str) -> str:
    """What git says, stripped; RuntimeError with its complaint."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def fast_forward(root: Path) -> None:
    """What the branch's upstream has more, taken over. InvalidRequest where that is no mere addition, or fails."""
    clean_head(root)
    try:
        run(root, "pull", "--quiet", "--ff-only")
    except RuntimeError as error:
        told = " ".join(str(error).split())
        raise InvalidRequest(f"{told}; bring the clone up to date by hand, or start it without pull") from error


def clean_head(root: Path) -> str:
    """The checked-out commit. InvalidRequest where tracked files but dvc.lock differ from it."""
    changed = run(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    if changed:
        files = ", ".join(line.split()[-1] for line in changed.splitlines()[:3])
        raise InvalidRequest(
            f"{files}: changed since the last commit; a sweep runs what is committed (git commit, or git stash)"
        )
    return run(root, "rev-parse", "HEAD")
