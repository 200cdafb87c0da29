"""A dataset whose making was stopped: going on ends with the same bytes, and makes nothing again that is finished."""

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from stages.images.build import ORDER, build
from stages.images.sources.item import Item
from stages.project import tables
from stages.project.threads import AHEAD
from tests.faults.harm import flip
from tests.images.conftest import Paint, params_of

COUNTS = {"test": 3, "val": 3, "train": 70}
ROUND = 2 * AHEAD  # images that are prepared at once, on two cores


class Stopped(BaseException):
    """As a signal would end the process."""


class Source:
    """Images with a fault and a duplicate among them; what is made of them, and what was prepared for it."""

    def __init__(self, folder: Path, paint: Paint) -> None:
        self.folder, seeds = folder, iter(range(99))
        self.names = [f"{split}/{i:02}.png" for split in ORDER for i in range(COUNTS[split])]
        for name in self.names:
            paint(folder / "source" / name, next(seeds))
        (folder / "source/train/20.png").write_bytes(b"")
        (folder / "source/train/21.png").write_bytes((folder / "source/test/02.png").read_bytes())
        assert self.make("whole") == self.names
        self.whole = self.bytes_of("whole")

    def make(self, name: str, of: str = "this", stop: int = 99) -> list[str]:
        """The names of the images that are prepared; it is stopped at so many."""
        keys = {"shard_mb": 0.01, "packed_mb": 0.05, "quarantine_limit": 0.5, "duplicates": {"near": 0}}
        names: list[str] = []

        def track(items: Iterable[Item], split: str, total: int) -> Iterable[Item]:
            for item in items:
                if len(names) == stop:
                    raise Stopped
                names.append(item.name)
                yield item

        try:
            build("d", params_of("folder", root=str(self.folder / "source"), **keys), self.folder / name, track, of)
        except Stopped:
            assert len(names) == stop
        return names

    def bytes_of(self, name: str) -> dict[str, bytes]:
        found = [path for path in (self.folder / name).rglob("*") if path.is_file()]
        return {path.relative_to(self.folder / name).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, paint: Paint) -> Source:
    return Source(tmp_path_factory.mktemp("resumed"), paint)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a round is the same on every machine."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)


@pytest.mark.parametrize(
    ("stop", "cores", "written"),
    [
        *((0, 2, 0), (2, 2, 0), (5, 2, 3), (6, 2, 6), (40, 2, 6 + ROUND), (75, 2, 6 + 2 * ROUND)),
        *((40, 1, 40), (75, 1, 75)),
    ],
)
def test_gone_on_wherever_it_was_stopped_it_is_the_same(
    source: Source, monkeypatch: pytest.MonkeyPatch, stop: int, cores: int, written: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
    name = f"stopped{stop}-{cores}"
    source.make(name, stop=stop)
    assert not (source.folder / name).exists()
    for begun in ("dataset.json", "index.parquet", "d-train-000099.tar"):  # killed later, it has these too
        (source.folder / f".{name}.part" / begun).write_bytes(b"begun")
    again = source.make(name)
    assert source.bytes_of(name) == source.whole and again == source.names[-len(again) :]
    a_tar = int(tables.read(source.folder / "whole/index")["shard"].value_counts().max())
    assert 0 <= len(again) - (len(source.names) - written) <= a_tar + 2  # what was in an unfinished one, two left out
    assert a_tar < 8


def test_nothing_is_taken_up_of_another_or_of_nothing(source: Source) -> None:
    for of, other in (("this", "that"), ("this", ""), ("", "")):
        source.make("other", of, stop=75)
        assert source.make("other", other) == source.names and source.bytes_of("other") == source.whole


@pytest.mark.parametrize("seed", range(20))
def test_what_was_harmed_meanwhile_is_made_again(source: Source, seed: int) -> None:
    shutil.rmtree(source.folder / "harmed", ignore_errors=True)
    source.make("harmed", stop=75)
    draw = random.Random(seed)
    files = sorted(
        path for path in (source.folder / ".harmed.part").rglob("*") if path.is_file() and path.stat().st_size
    )
    flip(draw.choice(files), draw)
    source.make("harmed")
    assert source.bytes_of("harmed") == source.whole


def test_an_error_leaves_nothing(source: Source) -> None:
    def track(items: Iterable[Item], split: str, total: int) -> Iterable[Item]:
        yield from items
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        build("d", params_of("folder", root=str(source.folder / "source")), source.folder / "full", track, "this")
    assert [path.name for path in source.folder.iterdir() if "full" in path.name] == []
