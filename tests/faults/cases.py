"""One command under faults: what it reads is there, its undisturbed result is known, and a fresh place is cheap."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from stages.project.hashing import of_file
from stages.training import parts
from tests.faults import verbs
from tests.faults.triggers import Trigger
from tests.faults.verbs import Ended, Verb

ROOMS = ("data", "reports")  # where commands write
RELEASED = ("model.safetensors", "curves.*", "pictures/*")  # metrics and card tell of seconds


@dataclass(frozen=True)
class Command:
    """A verb's words; what it reads, where it writes, and patterns of what in there may not hang on faults."""

    words: tuple[str, ...]
    needs: tuple[str, ...]
    outs: tuple[str, ...]
    makes: tuple[str, ...]

    @property
    def title(self) -> str:
        """For a person: the verb and its words."""
        return " ".join(self.words)


@dataclass(frozen=True)
class Case:
    """`operations` on files, `seconds` and `size` (bytes made) are those of an undisturbed run."""

    command: Command
    project: Path
    places: Path  # where fresh places are made
    result: Mapping[str, str]  # digests
    operations: int
    seconds: float
    size: int

    def fresh(self, disk: Path | None = None) -> Path:
        """A project in which all is there that the command reads, and nothing that it makes; written to `disk`."""
        return _fresh(self.command, self.project, self.places, disk)

    def start(
        self, place: Path, *words: str, trigger: Trigger | None = None, environment: Mapping[str, str] | None = None
    ) -> Verb:
        """The command begins, or goes on."""
        return verbs.start(place, *self.command.words, *words, trigger=trigger, environment=environment)

    def finish(self, place: Path, *words: str) -> Ended:
        """It goes on to its end; AssertionError unless that is the undisturbed one's, and nothing else is left."""
        ended = self.start(place, *words).end()
        self.expect(place, ended)
        return ended

    def expect(self, place: Path, ended: Ended) -> None:
        """AssertionError unless it ended well: with the undisturbed result, and nothing half-written is left."""
        assert ended.code == 0, ended.said
        found = digests(place, self.command)
        assert found == self.result, sorted({name for name, _ in found.items() ^ self.result.items()})
        assert halves(place) == []

    def made(self, place: Path, word: str = "") -> list[Path]:
        """The files that the command has made there, with `word` in their names."""
        return [path for path in _made(place, self.command) if word in str(path.relative_to(place))]


def case(project: Path, places: Path, command: Command) -> Case:
    """Run the command undisturbed, measure that, and put what it makes into `project`, where others read it."""
    place = _fresh(command, project, places)
    counted = place.with_name(f"{place.name}.operations")
    begin = time.monotonic()
    ended = verbs.start(place, *command.words, trigger=Trigger(counted=counted)).end()
    seconds = time.monotonic() - begin
    assert ended.code == 0, ended.said
    for out in command.outs:
        shutil.copytree(place / out, project / out, dirs_exist_ok=True)
    size = sum(path.stat().st_size for path in _made(place, command))
    return Case(command, project, places, digests(place, command), int(counted.read_text()), seconds, size)


def training(method: str, part: str) -> Command:
    """Training a part."""
    models = f"data/models/{method}"
    parents = (f"{models}/{parent}" for parent in parts.part_module(method, part).PARENTS)
    makes = tuple(f"{models}/{part}/{pattern}" for pattern in RELEASED)
    return Command(("train", method, part), ("data/shards", *parents), (f"{models}/{part}",), makes)


def sampling(method: str) -> Command:
    """Drawing a method's samples; their tables tell of seconds."""
    needs = ("data/shards", "data/masks", "data/models")
    samples = f"data/samples/{method}"
    return Command(("sample", method), needs, (samples,), (f"{samples}/*/*/*.tar", f"{samples}/*/*/side/*/*"))


def scoring(method: str) -> Command:
    """Scoring a method's samples."""
    needs = ("data/shards", "data/masks", "data/samples")
    return Command(("benchmark", method), needs, ("reports/scores",), (f"reports/scores/{method}.*",))


SHARDING = Command(("shard",), ("dots",), ("data/shards", "data/masks"), ("data/shards/dots/*", "data/masks/dots/*"))
REPORTING = Command(
    ("report",),
    ("data/shards", "data/masks", "data/models", "data/samples", "reports/scores"),
    (),
    ("reports/index.html", "reports/pages/**/*", "reports/*.parquet", "reports/tables.*"),
)


def digests(place: Path, command: Command) -> dict[str, str]:
    """Of what the command makes, by path."""
    return {str(path.relative_to(place)): of_file(path) for path in _made(place, command)}


def halves(place: Path) -> list[str]:
    """What is half-written below a project's data and reports: files and folders with hidden names."""
    return sorted(str(path.relative_to(place)) for room in ROOMS for path in (place / room).rglob(".*"))


def _fresh(command: Command, project: Path, places: Path, disk: Path | None = None) -> Path:
    name = command.title.replace(" ", "-")
    place = next(path for i in count() if not (path := places / f"{name}-{i}").exists())
    place.mkdir(parents=True)
    shutil.copy(project / "params.yaml", place)
    for room in ROOMS if disk else ():
        (disk / room).mkdir()  # type: ignore[operator]
        (place / room).symlink_to(disk / room)  # type: ignore[operator]
    for need in command.needs:
        (place / need).parent.mkdir(parents=True, exist_ok=True)
        (place / need).symlink_to(project / need)
    return place


def _made(place: Path, command: Command) -> list[Path]:
    return sorted(path for pattern in command.makes for path in place.glob(pattern) if path.is_file())
