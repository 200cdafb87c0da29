"""A training's checkpoints: damaged, forged under a right checksum, newer than the newest, pickles that run code."""

import hashlib
import io
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st

from stages.contract import UserError
from stages.project.hashing import SHOWN
from stages.training.checkpoints import Checkpoints
from tests.fuzz.damage import damaged
from tests.fuzz.verdict import Verdict, of_call, refuse_halves

INPUTS, SAMPLE = 2200, 40
WRONG = (
    "A state that no training saved (told by the two that were saved: the newest whole one must come back, the start "
    "where none is whole); code of a pickle that runs (it would leave a canary)."
)
FOLDER, CANARY = Path("progress"), Path("canary")
STEPS = (2, 4)


class Code:
    """A pickle that writes the canary."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(CANARY),)


def prepare() -> None:
    saved = Checkpoints(Path("whole"))
    for step in STEPS:
        saved.save(step, state(step))


def state(step: int) -> dict[str, Any]:
    return {"step": step, "model": {"weight": torch.full((3, 5), float(step))}, "rows": [{"loss": 0.5}] * step}


@st.composite
def hostile(draw: st.DrawFn) -> dict[str, bytes]:
    """Files that take the place of the newest checkpoint, or lie beside it, by name."""
    newest = sorted(Path("whole").glob("step-*"))[-1]
    kind = draw(st.sampled_from(["damaged", "both damaged", "newer", "code", "other name"]))
    if kind == "damaged":
        return {newest.name: draw(damaged([newest.read_bytes()]))}
    if kind == "both damaged":
        return {path.name: draw(damaged([path.read_bytes()])) for path in Path("whole").glob("step-*")}
    if kind == "newer":  # bytes that are no checkpoint, under the checksum that they have
        data = draw(st.one_of(st.binary(max_size=64), damaged([_torch([1, 2]), _torch(None)], least=0)))
        return {_name(9, data): data}
    if kind == "code":
        data = draw(st.sampled_from([pickle.dumps(Code()), _torch(Code()), _torch({"step": Code()})]))
        return {_name(9, data): data}
    return {draw(st.sampled_from(["step-.pt", "step-x-y.pt", "step-9.pt", ".part-1", "step-000000009-.pt"])): b"half"}


def _torch(value: Any) -> bytes:
    data = io.BytesIO()
    torch.save(value, data)
    return data.getvalue()


def _name(step: int, data: bytes) -> str:
    return f"step-{step:09}-{hashlib.sha256(data).hexdigest()[:SHOWN]}.pt"


def knock(given: Mapping[str, bytes]) -> Verdict:
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree("whole", FOLDER)
    whole = [step for step, path in zip(STEPS, sorted(FOLDER.glob("step-*")), strict=True) if path.name not in given]
    for name, data in given.items():
        (FOLDER / name).write_bytes(data)
    untouched = {name for name, data in given.items() if Path("whole", name).is_file() and _bytes(name) == data}
    verdict, found = of_call(Checkpoints(FOLDER).newest, UserError, [str(FOLDER)])
    refuse_halves(FOLDER)
    assert not CANARY.exists(), "a pickle's code was run"
    expected = state(whole[-1]) if whole else None
    assert untouched or _same(found, expected), f"{found} where {expected} is the newest whole one"
    newer = [name for name in given if name > f"step-{whole[-1] if whole else 0:09}~"]
    assert untouched or all(name in verdict.said for name in newer), f"passed over without a word: {newer}"
    return Verdict(bool(untouched), "passed over")


def _bytes(name: str) -> bytes:
    return Path("whole", name).read_bytes()


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return (
        isinstance(one, dict)
        and one.keys() == other.keys()
        and one["step"] == other["step"]
        and torch.equal(one["model"]["weight"], other["model"]["weight"])
        and one["rows"] == other["rows"]
    )
