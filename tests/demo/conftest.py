"""A method whose completions depend on seed and temperature, and the demo's server on it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from stages.demo import server
from stages.demo.examples import Examples
from stages.demo.studio import Studio
from stages.images.files import encode_png
from tests.methods.planted import planted

VALUES = {
    "data": {"dataset": "none"},
    "methods": {
        "shaker": {"inpaint": {"temperature": 1.0, "variants": {"hot": {"temperature": 2.0}}}},
        "classical": {"inpaint": {"algorithm": "mean"}},
        "flow_fill": {"inpaint": {}},
    },
}
METHOD = '''\
"""Noise of a seed, times the temperature, on what the hole's neighbours are not asked for."""
import torch

from stages import contract
from stages.contract import Completions

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    temperature: float


class Shaker:
    def __init__(self, params):
        self.temperature = params.temperature

    def sample(self, request):
        shape = request.image_BCHW.shape[1:]
        drawn = [torch.rand(shape, generator=torch.Generator().manual_seed(int(s))) for s in request.seeds_BK[0]]
        return Completions(torch.stack(drawn)[None] * self.temperature - 1)


def build(params, parents, device) -> Shaker:
    return Shaker(params)
'''


@pytest.fixture
def shaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The method beside the project's own, in a project without data."""
    monkeypatch.chdir(tmp_path)
    with planted("shaker", METHOD, tmp_path / "methods"):
        yield


@pytest.fixture
def ask(shaker: None) -> Callable[..., Response]:
    """Completions of a picture and a hole; what is not given is plain."""
    examples = Examples({"a/1": png(picture())}, None)
    client = TestClient(server.app(Studio(VALUES, torch.device("cpu")), examples), "http://127.0.0.1")

    def asked(path: str = "/api/complete", **given: Any) -> Response:
        if path != "/api/complete" or "content" in given:
            return client.post(path, **given) if given else client.get(path)
        plain = {"image": png(picture()), "mask": png(mask()), "entry": "shaker", "nsampling": 3, "seed": 5}
        told = {**plain, **given}
        coded = {n: base64.b64encode(v).decode() if isinstance(v, bytes) else v for n, v in told.items()}
        return client.post(path, json=coded)

    return asked


def picture(height: int = 20, width: int = 30, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def mask(height: int = 20, width: int = 30) -> np.ndarray:
    """White in the hole (H, W)."""
    mask_HW = np.zeros((height, width), dtype=np.uint8)
    mask_HW[5:12, 6:20] = 255
    return mask_HW


def png(image: np.ndarray) -> bytes:
    return encode_png(image)


def completions(reply: Response) -> list[tuple[str, np.ndarray]]:
    """Seed and pixels of each."""
    assert reply.status_code == 200, reply.text
    read = [(one["seed"], base64.b64decode(one["png"])) for one in reply.json()["completions"]]
    return [(seed, np.asarray(Image.open(io.BytesIO(data)))) for seed, data in read]
