"""`plurifill export`: a finished store of samples, its tars (links, ways out, members twice) and its tables."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from hypothesis import strategies as st

from stages.images.files import read_rgb, write_png
from stages.project.entries import Entry
from stages.sampling.sampler import Sampler, Work, fill
from stages.sampling.store import SampleStore, member
from stages.sampling.testsets import TestSetParams, open_testset
from tests.fuzz.damage import altered, damaged
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves
from tests.sampling import toy

INPUTS, SAMPLE = 500, 20
WRONG = (
    "A picture that is not the one that was drawn, or too few of them (told by the export of the undamaged store); a "
    "file written outside of the folder that was named (a canary lies there); a folder of a store that was refused."
)
STORE, OUTPUT = Path("data/samples/noise/few/plain"), Path("out/here")
TAR = "samples-00000.tar"
Members = list[tuple[tarfile.TarInfo, bytes]]


def prepare() -> None:
    toy.make(Path())
    testset = open_testset("few", TestSetParams(dataset="toy", masks="centre", images=4, samples=2))
    told = {"entry": "noise", "method": "noise", "trained_on": [], "params": {}, **testset.identity()}
    fill(Work(testset, Entry("noise"), Sampler(toy.Noise, torch.device("cpu")), STORE), told)
    finished = SampleStore.open(STORE)
    for key in finished.keys:
        for k, raw_HWC in enumerate(finished.raw_KHWC(key)):
            write_png(Path("true") / member(key, k), raw_HWC)
    shutil.copytree(STORE, "whole")


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of the store, and its new bytes."""
    name = draw(st.sampled_from([TAR, TAR, "store.json", "index.parquet", "latency.parquet"]))
    data = Path("whole", name).read_bytes()
    if name == TAR and draw(st.booleans()):
        return name, _rebuilt(data, draw(st.sampled_from(TRICKS)), draw(st.integers(0, 7)))
    if name == "store.json" and draw(st.booleans()):
        return name, json.dumps(draw(altered(json.loads(data)))[0]).encode()
    if name == "index.parquet" and draw(st.booleans()):
        return name, draw(_index(pd.read_parquet(io.BytesIO(data))))
    return name, draw(damaged([data]))


@st.composite
def _index(draw: st.DrawFn, frame: pd.DataFrame) -> bytes:
    """The table with a cell, a column or a row altered."""
    column, row = draw(st.sampled_from(list(frame.columns))), draw(st.integers(0, len(frame) - 1))
    how, data = draw(st.sampled_from(["cell", "column", "row", "again"])), io.BytesIO()
    if how == "column":
        frame = frame.drop(columns=column)
    elif how == "cell":
        odd = {"k": 7, "seed": -1, "hole": float("nan")}.get(column, draw(st.sampled_from(["../../canary", "", "x"])))
        frame.loc[row, column] = odd
    else:
        frame = frame.drop(index=row) if how == "row" else pd.concat([frame, frame.iloc[[row]]])
    frame.to_parquet(data, index=False)
    return data.getvalue()


def _outside(members: Members, at: int) -> None:
    members[at][0].name = f"../../../{members[at][0].name}"


def _absolute(members: Members, at: int) -> None:
    members[at][0].name = str(Path("canary").absolute())


def _twice(members: Members, at: int) -> None:
    other = members[at - 1][1]
    members.append((tarfile.TarInfo(members[at][0].name), other))
    members[-1][0].size = len(other)


def _link(members: Members, at: int) -> None:
    info, _ = members[at]
    info.type, info.linkname, info.size = tarfile.SYMTYPE, "../../../../../true", 0


def _hard_link(members: Members, at: int) -> None:
    info, _ = members[at]
    info.type, info.linkname, info.size = tarfile.LNKTYPE, members[at - 1][0].name, 0


def _folder(members: Members, at: int) -> None:
    members[at][0].type, members[at][0].size = tarfile.DIRTYPE, 0


def _pipe(members: Members, at: int) -> None:
    members[at][0].type, members[at][0].size = tarfile.FIFOTYPE, 0


def _missing(members: Members, at: int) -> None:
    del members[at]


def _exchanged(members: Members, at: int) -> None:
    one, other = members[at][0], members[at - 1][0]
    one.name, other.name = other.name, one.name


TRICKS = (_outside, _absolute, _twice, _link, _hard_link, _folder, _pipe, _missing, _exchanged)


def _rebuilt(data: bytes, trick: Callable[[Members, int], None], at: int) -> bytes:
    """A whole tar of the same members, but for one trick at one of them."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = [(info, tar.extractfile(info).read()) for info in tar]  # type: ignore[union-attr]
    trick(members, at)
    rebuilt = io.BytesIO()
    with tarfile.open(fileobj=rebuilt, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return rebuilt.getvalue()


def knock(given: tuple[str, bytes]) -> Verdict:
    name, data = given
    shutil.copytree("whole", STORE, dirs_exist_ok=True)
    (STORE / name).write_bytes(data)
    shutil.rmtree("out", ignore_errors=True)
    verdict = of_verb("export", ["noise", "--output", str(OUTPUT)], [str(STORE)])
    refuse_halves(Path("out"))
    assert not Path("canary").exists() and verdict.accepted == OUTPUT.exists()
    if verdict.accepted:
        _refuse_wrong()
    return verdict


def _refuse_wrong() -> None:
    found = {path.relative_to(OUTPUT / "few/plain"): path for path in OUTPUT.rglob("*.png")}
    true = {path.relative_to("true"): path for path in Path("true").rglob("*.png")}
    assert found.keys() == true.keys(), "other pictures than were drawn"
    assert all((read_rgb(found[name]) == read_rgb(true[name])).all() for name in true)
