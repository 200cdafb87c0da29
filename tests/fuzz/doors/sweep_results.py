"""`plurifill compare --sweep`: a sweep's finished points, their notes and tables."""

import io
import json
import shutil
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from stages.project import paths, tables
from tests.evaluation.sweeps.made import ALPHA, finish
from tests.fuzz.damage import altered, damaged
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 120, 6
WRONG = (
    "Points whose tables are damaged or lack a column; a note that is none; a curve that does not have every point of "
    "the folder once (told by the points that were written)."
)
SWEEP = Path("reports/sweeps/alpha")
TOOK = {"parameters": 1_200_345, "seconds": 61.2, "steps": 300, "skipped_steps": 2}
POINTS = {"low": 0.25, "middle": 0.5, "high": 1.0}


def prepare() -> None:
    for name, value in POINTS.items():
        finish(Path("whole"), name, {ALPHA: value}, 20.0 + value, trainings={"latent_codes/vq": TOOK})
    Path("params.yaml").write_text("methods: {latent_codes: {token_mask: {alpha: 0.5}}}\n")


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of the sweep, and its new bytes."""
    name = draw(st.sampled_from(sorted(path.name for path in Path("whole").iterdir())))
    data = Path("whole", name).read_bytes()
    if name.endswith(".json") and draw(st.booleans()):
        return name, json.dumps(draw(altered(json.loads(data)))[0]).encode()
    if name.endswith(".parquet") and draw(st.booleans()):
        frame = pd.read_parquet(io.BytesIO(data))
        return name, frame.drop(columns=draw(st.sampled_from(list(frame.columns)))).to_parquet()
    return name, draw(damaged([data]))


def knock(given: tuple[str, bytes]) -> Verdict:
    name, data = given
    shutil.rmtree("reports", ignore_errors=True)
    shutil.copytree("whole", SWEEP)
    (SWEEP / name).write_bytes(data)
    verdict = of_verb("compare", ["--sweep", "alpha"], [str(SWEEP), "alpha"])
    refuse_halves(Path("reports"))
    if verdict.accepted and name.endswith(".parquet"):
        curve = tables.read(paths.sweeps() / "alpha/compared/curve")
        for point, rows in curve.groupby("point"):
            own = pd.read_parquet(Path("whole", f"{point}.summary.parquet"))
            assert rows["estimate"].tolist() == own["estimate"].tolist(), "a damaged table is compared"
        assert set(curve["point"]) == set(POINTS)
    return verdict
