"""Where a result comes from: the commit, the versions, the machine."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from stages.project.hashing import of_file

COUNTING = ("torch", "torchvision", "numpy", "pandas", "lpips", "opencv-python-headless", "scikit-image")


def commit() -> str:
    """The checked-out commit, with `+changes` where tracked files differ from it; `unknown` outside a repository."""
    head = _git("rev-parse", "HEAD")
    if not head:
        return "unknown"
    return head + ("+changes" if _git("status", "--porcelain", "--untracked-files=no") else "")


def lock(experiment: str = "") -> str:
    """sha256 of dvc.lock: the one that is here, or the one of a DVC experiment of that name; `none` without one."""
    if not experiment:
        return of_file(Path("dvc.lock")) if Path("dvc.lock").is_file() else "none"
    refs = _git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    ref = next((ref for ref in refs if ref.rpartition("/")[2] == experiment), "")
    text = _git("show", f"{ref}:dvc.lock") if ref else ""
    return hashlib.sha256(f"{text}\n".encode()).hexdigest() if text else "none"


def versions(packages: Sequence[str] = COUNTING) -> dict[str, str]:
    """Installed versions by package, by default of those that numbers depend on; `absent` where there is none."""
    return {package: _version(package) for package in packages}


def machine() -> dict[str, str]:
    """Python, system, processor and accelerator in words."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
