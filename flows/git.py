"""The project's git repository, by the command."""

import os
import subprocess
from pathlib import Path

from flows.errors import CommitMissing, InvalidRequest


def run(root: Path, *words: str) -> str:
    """What git says, stripped; RuntimeError with its complaint."""
    silent = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}  # nobody is there to give a password
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, env=silent)
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


def require(root: Path, commit: str) -> None:
    """Fetch the commit where it is not here. CommitMissing where it is not to be had."""
    why = ""
    if not _has(root, commit):
        try:
            run(root, "fetch", "--all", "--quiet")
        except RuntimeError as error:
            why = f" ({' '.join(str(error).split())})"
    if not _has(root, commit):
        raise CommitMissing(f"{root}: no commit {commit[:7]} here nor at its remotes{why}; git push it to one")


def _has(root: Path, commit: str) -> bool:
    return not subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=root, capture_output=True
    ).returncode


def clean_head(root: Path) -> str:
    """The checked-out commit. InvalidRequest where tracked files but dvc.lock differ from it."""
    changed = run(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    if changed:
        files = ", ".join(line.split()[-1] for line in changed.splitlines()[:3])
        raise InvalidRequest(
            f"{files}: changed since the last commit; a sweep runs what is committed (git commit, or git stash)"
        )
    return run(root, "rev-parse", "HEAD")
