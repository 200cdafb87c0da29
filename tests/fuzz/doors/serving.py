"""The registered model behind MLflow's scoring server: any body of a request."""

import base64
import io
import json
import logging
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from hypothesis import strategies as st
from mlflow import pyfunc
from mlflow.pyfunc.scoring_server import init
from PIL import Image

from stages.images.files import encode_png
from stages.project.entries import Entry
from stages.sampling import serving
from stages.tracking import models
from tests.fuzz.damage import altered, damaged
from tests.fuzz.doors.images import hole, picture
from tests.fuzz.verdict import Verdict

INPUTS, SAMPLE = 900, 25
WRONG = (
    "An answer to a field, a column or a param that there is not; other completions, in number, seed or known pixels, "
    "than the rows and params that were sent ask for; an answer without a row for each; a status other than 200 and "
    "400."
)
PICTURE, MASK = (base64.b64encode(encode_png(one)).decode() for one in (picture(), hole().astype(np.uint8) * 255))
BODY = {
    "dataframe_records": [{"image": PICTURE, "mask": MASK}],
    "params": {"nsampling": 2, "seed": 5, "hole": "white", "window": "whole"},
}
clients: list[TestClient] = []


def prepare() -> None:
    about = serving.pack(
        {"methods": {"classical": {"inpaint": {"algorithm": "mean"}}}}, Entry("classical"), Path("packed")
    )
    asked = (serving.INPUTS, serving.OUTPUTS, serving.OPTIONS, serving.example())
    model = models.Model("fuzzed", Path("packed"), "stages.sampling.serving:serve", *asked, (), str(about), {})
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with redirect_stderr(io.StringIO()):  # MLflow's progress
        pyfunc.save_model("served", **models.own(model))
        clients[:] = [TestClient(init(pyfunc.load_model("served")))]


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A body: the right one, with values altered, pictures damaged, or its text damaged."""
    body = BODY
    kind = draw(st.sampled_from(["values", "values", "picture", "text", "right"]))
    if kind == "values":
        for _ in range(draw(st.integers(1, 2))):
            body = draw(altered(body))[0]
    elif kind == "picture":
        name = draw(st.sampled_from(["image", "mask"]))
        data = draw(damaged([base64.b64decode(PICTURE if name == "image" else MASK)]))
        body = {**BODY, "dataframe_records": [{**BODY["dataframe_records"][0], name: base64.b64encode(data).decode()}]}  # type: ignore[dict-item]
    text = json.dumps(body).encode()
    return draw(damaged([text], most=1)) if kind == "text" else text


def knock(given: bytes) -> Verdict:
    reply = clients[0].post("/invocations", content=given, headers={"Content-Type": "application/json"})
    assert reply.status_code in {200, 400}, reply.text
    if reply.status_code == 400:
        told = reply.json()
        line = str(told.get("message", "")).rpartition("Error: ")[2]
        assert line and "Traceback" not in line and "unexpected error" not in line, told
        return Verdict(False, line)
    _refuse_wrong(json.loads(given), reply.json()["predictions"])
    return Verdict(True)


def _refuse_wrong(asked: Any, answers: list[dict[str, Any]]) -> None:
    """AssertionError where these are not the answers."""
    params = {**serving.OPTIONS, **(asked.get("params") or {})}
    (table,) = [value for name, value in asked.items() if name != "params"]
    assert set(asked) <= {"params", "dataframe_records", "dataframe_split", "instances", "inputs"}
    assert set(params) == set(serving.OPTIONS), "an unknown param is answered"
    assert all(set(row) == {"image", "mask"} for row in table), "an unknown column is answered"
    expected = [(row, k, params["seed"] + k) for row in range(len(table)) for k in range(params["nsampling"])]
    assert [(one["image"], one["k"], one["seed"]) for one in answers] == expected
    for one in answers:
        with Image.open(io.BytesIO(base64.b64decode(one["completion"]))) as done:
            done_HWC = np.array(done.convert("RGB"))
        known_HW = ~hole() if params["hole"] == "white" else hole()
        if table[one["image"]] == BODY["dataframe_records"][0]:  # type: ignore[index]
            assert (done_HWC[known_HW] == picture()[known_HW]).all()
