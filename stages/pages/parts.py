"""Trained parts as their finished folders tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.pages.drawings.axes import short
from stages.project.files import visible
from stages.project.releases import read_config, read_metrics


@dataclass(frozen=True)
class Part:
    """One finished part: its folder, and what config.json and metrics.json in it say."""

    folder: Path
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def title(self) -> str:
        """method/part."""
        return f"{self.config['method']}/{self.config['part']}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Names and values: what it learned on, how large it is, what its training took."""
        return (
            ("data", f"{self.config['dataset']['name']}, {self.config['spec']['size']} px"),
            ("parameters", short(self.metrics["parameters"])),
            ("images seen", short(self.metrics["images"])),
            ("time", duration(self.metrics["seconds"])),
        )


def read(models: Path) -> list[Part]:
    """Every finished part below `models` (<method>/<part>/config.json), in the order in which they were finished."""
    configs = sorted(visible(models, "*/*/config.json"), key=lambda path: (path.parts[-3], path.stat().st_mtime_ns))
    return [_part(path.parent) for path in configs]


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _part(folder: Path) -> Part:
    return Part(folder, read_config(folder), read_metrics(folder))
