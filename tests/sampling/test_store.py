"""A finished store that others have touched: nothing but the very samples comes out of it, and one line says why."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from stages.cli import export
from stages.contract import UserError
from stages.project.entries import Entry
from stages.sampling import store
from stages.sampling.sampler import Sampler, Work, fill
from stages.sampling.store import SampleStore
from stages.sampling.testsets import TestSetParams, open_testset
from tests.sampling import toy

Members = dict[str, tuple[tarfile.TarInfo, bytes]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 images x 2 samples."""
    root = toy.make(tmp_path_factory.mktemp("project"))
    with toy.inside(root):
        testset = open_testset("few", TestSetParams(dataset="toy", masks="centre", images=4, samples=2))
    told = {"entry": "noise", "fingerprint": "f", **testset.identity()}
    fill(Work(testset, Entry("noise"), Sampler(toy.Noise, torch.device("cpu")), root / "whole"), told)
    return root / "whole"


@pytest.fixture
def place(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, a method's only one in the working directory."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(whole, tmp_path / "data/samples/noise/few/plain"))


def rebuilt(place: Path, trick: Callable[[tarfile.TarInfo, tarfile.TarInfo], None]) -> None:
    """The tar with a trick played on its second member, which may look at the first."""
    path = store.tar_path(place, 0)
    with tarfile.open(path) as tar:
        members = [(info, tar.extractfile(info).read()) for info in tar]  # type: ignore[union-attr]
    trick(members[1][0], members[0][0])
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    path.write_bytes(data.getvalue())


def linked(kind: bytes, to: str) -> Callable[[tarfile.TarInfo, tarfile.TarInfo], None]:
    def link(info: tarfile.TarInfo, first: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, to or first.name, 0

    return link


def renamed(name: str) -> Callable[[tarfile.TarInfo, tarfile.TarInfo], None]:
    def rename(info: tarfile.TarInfo, first: tarfile.TarInfo) -> None:
        info.name = name or first.name

    return rename


TRICKS = {
    "a link out": linked(tarfile.SYMTYPE, "../../../../x.png"),
    "a link to nowhere": linked(tarfile.LNKTYPE, "no such member"),
    "a link to its neighbour": linked(tarfile.LNKTYPE, ""),
    "a folder": linked(tarfile.DIRTYPE, "x"),
    "a pipe": linked(tarfile.FIFOTYPE, "x"),
    "a way out": renamed("../../../../x.png"),
    "a name twice": renamed(""),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_tar_that_was_built_anew_is_one_line_and_nothing_is_left(place: Path, trick: str) -> None:
    rebuilt(place, TRICKS[trick])
    with pytest.raises(UserError, match=r"samples-00000\.tar: .* is damaged; run `plurifill sample`"):
        export.main("noise", Path("out/all"))
    assert list(Path("out").iterdir()) == []


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a row less": lambda frame: frame.iloc[:-1],
    "a row twice": lambda frame: pd.concat([frame, frame.iloc[[0]]]),
    "another number": lambda frame: frame.assign(k=frame["k"] + 1),
    "an image less": lambda frame: frame[frame["key"] != frame["key"].iloc[0]],
    "a piece elsewhere": lambda frame: frame.assign(piece="../../x.tar"),
    "no rows": lambda frame: frame.iloc[:0],
    "no checksums": lambda frame: frame.drop(columns="sha256"),
    "no pieces": lambda frame: frame.drop(columns="piece"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_index_of_other_samples_is_refused_and_made_again(place: Path, change: str) -> None:
    path = place / "index.parquet"
    CHANGES[change](pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(UserError, match="no finished samples; run `plurifill sample`"):
        SampleStore.open(place)
    assert not store.is_finished(place) and store.fingerprint(place) == "f"


@pytest.mark.parametrize("name", ["index.parquet", "latency.parquet"])
def test_a_damaged_table_is_named(place: Path, name: str) -> None:
    (place / name).write_bytes((place / name).read_bytes()[:-9])
    with pytest.raises(UserError, match="no finished samples; run `plurifill sample`"):
        SampleStore.open(place)


@pytest.mark.parametrize("text", ["", "[1]", "1", "null", '"words"', "{"])
def test_a_description_that_is_none_is_one_line_and_no_fingerprint(place: Path, text: str) -> None:
    (place / "store.json").write_text(text)
    with pytest.raises(UserError, match=r"store\.json: damaged; run `plurifill sample`"):
        store.describe(place)
    assert store.fingerprint(place) is None and not store.is_finished(place)


def test_an_untouched_store_stands(place: Path) -> None:
    assert store.is_finished(place) and store.fingerprint(place) == "f"
    assert json.loads((place / "store.json").read_text())["images"] == len(SampleStore.open(place).keys) == 4
