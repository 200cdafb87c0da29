"""`plurifill demo`: any body of a request, as any program on this machine may send it."""

import base64
import io
import json
from typing import Any

import numpy as np
import torch
from fastapi.testclient import TestClient
from hypothesis import strategies as st
from PIL import Image

from stages.demo import server
from stages.demo.examples import Examples
from stages.demo.studio import Studio
from stages.images.files import encode_png
from tests.fuzz.damage import altered, damaged
from tests.fuzz.doors.images import hole, picture
from tests.fuzz.verdict import Verdict

INPUTS, SAMPLE = 900, 30
WRONG = (
    "An answer to values that the page does not promise; other completions, in number, seed, size or known pixels, "
    "than were asked for; a status other than 200, 400 and 422, or a refusal without its one line."
)
VALUES = {"data": {"dataset": "none"}, "methods": {"classical": {"inpaint": {"algorithm": "mean"}}}}
PICTURE, MASK = (encode_png(one) for one in (picture(), hole().astype(np.uint8) * 255))
BODY = {
    "image": base64.b64encode(PICTURE).decode(),
    "mask": base64.b64encode(MASK).decode(),
    "entry": "classical",
    "nsampling": 2,
    "seed": 5,
    "temperature": None,
    "window": "whole",
}
clients: list[TestClient] = []


def prepare() -> None:
    page = server.app(Studio(VALUES, torch.device("cpu")), Examples({}, None))
    clients[:] = [TestClient(page, "http://127.0.0.1")]


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A body: the right one, with values altered, pictures damaged, or its text damaged."""
    body: dict[str, Any] = BODY
    kind = draw(st.sampled_from(["values", "values", "picture", "text", "right"]))
    if kind == "values":
        for _ in range(draw(st.integers(1, 2))):
            body = draw(altered(body))[0]
    elif kind == "picture":
        name, whole = draw(st.sampled_from([("image", PICTURE), ("mask", MASK)]))
        body = {**BODY, name: base64.b64encode(draw(damaged([whole]))).decode()}
    text = json.dumps(body).encode()
    return draw(damaged([text], most=1)) if kind == "text" else text


def knock(given: bytes) -> Verdict:
    reply = clients[0].post("/api/complete", content=given, headers={"Content-Type": "application/json"})
    assert reply.status_code in {200, 400, 422}, reply.text
    if reply.status_code != 200:
        line = reply.json()["error"]
        assert line and len(line.splitlines()) == 1 and "Traceback" not in line, line
        assert json.loads(json.dumps(BODY)) != _read(given), line
        return Verdict(False, line)
    _refuse_wrong(json.loads(given), reply.json()["completions"])
    return Verdict(True)


def _read(given: bytes) -> Any:
    try:
        return json.loads(given)
    except ValueError:
        return None


def _refuse_wrong(asked: dict[str, Any], answers: list[dict[str, str]]) -> None:
    """AssertionError where these are not the answers."""
    told = {"nsampling": 4, "seed": 0} | asked
    assert told["entry"] == "classical" and 1 <= int(told["nsampling"]) <= 16
    assert [int(one["seed"]) for one in answers] == [int(told["seed"]) + k for k in range(int(told["nsampling"]))]
    for one in answers:
        with Image.open(io.BytesIO(base64.b64decode(one["png"]))) as done:
            done_HWC = np.array(done.convert("RGB"))
        if (asked["image"], asked["mask"]) == (BODY["image"], BODY["mask"]):
            assert (done_HWC[~hole()] == picture()[~hole()]).all()
