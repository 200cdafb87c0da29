"""`plurifill register`: a trained inpainter as an MLflow model that answers by itself, in process and by HTTP."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages.cli import inpaint, register
from stages.contract import UserError
from stages.images import files
from stages.project import params as settings
from stages.project import paths
from stages.project.entries import Entry
from stages.sampling import serving
from tests.pages.project import finished
from tests.tracked import enter

ADDRESS = "models:/toys@latent_codes"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished project (latent codes at 32 px), tracked."""
    folder = shutil.copytree(finished(), tmp_path_factory.mktemp("register") / "project")
    text = (folder / "params.yaml").read_text().replace("track: none", "track: {experiment: toys}")
    (folder / "params.yaml").write_text(text)
    return folder


@pytest.fixture(autouse=True)
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(project, monkeypatch)


def picture(height: int = 41, width: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) and its hole (H, W)."""
    image_HWC = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    hole_HW = np.zeros((height, width), dtype=bool)
    hole_HW[10:30, 20:35] = True
    return image_HWC, hole_HW


def asked(image_HWC: np.ndarray, hole_HW: np.ndarray) -> pd.DataFrame:
    mask = files.encode_png(hole_HW.astype(np.uint8) * 255)
    return pd.DataFrame({"image": [files.encode_png(image_HWC)], "mask": [mask]})


@pytest.fixture(scope="module")
def answer(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The packed inpainter, loaded from a folder apart."""
    folder = tmp_path_factory.mktemp("packed") / "inpainter"
    with pytest.MonkeyPatch.context() as patch:
        enter(project, patch)
        serving.pack(settings.read(), Entry("latent_codes"), folder)
        for part in paths.root().glob("models/*/*"):
            part.rename(part.with_name(f".{part.name}"))
        try:
            return serving.serve(folder)
        finally:
            for part in paths.root().glob("models/*/.*"):
                part.rename(part.with_name(part.name[1:]))


def test_it_answers_as_plurifill_inpaint_does_from_its_own_folder_alone(answer: Any, tmp_path: Path) -> None:
    image_HWC, hole_HW = picture()
    files.write_png(tmp_path / "i.png", image_HWC)
    files.write_png(tmp_path / "m.png", hole_HW.astype(np.uint8) * 255)
    given = {"image": tmp_path / "i.png", "mask": tmp_path / "m.png", "output": tmp_path / "out"}
    inpaint.main("latent_codes", nsampling=3, seed=5, window="hole", **given)
    told = answer(asked(image_HWC, hole_HW), {"nsampling": 3, "seed": 5, "window": "hole"})
    assert told[["image", "k", "seed"]].to_numpy().tolist() == [[0, 0, 5], [0, 1, 6], [0, 2, 7]]
    for k, data in enumerate(told["completion"]):
        assert (files.decode_rgb(data) == files.read_rgb(tmp_path / f"out/i/{k:02d}.png")).all()


def test_alpha_comes_back_and_a_drawing_in_the_masks_alpha_is_read(answer: Any, capsys: Any) -> None:
    image_HWC, hole_HW = picture()
    own_HWC = np.dstack([image_HWC, np.random.default_rng(1).integers(0, 256, hole_HW.shape, dtype=np.uint8)])
    strokes_HWC = np.dstack([np.full_like(image_HWC, 255), hole_HW.astype(np.uint8) * 255])
    given = {"image": [files.encode_png(own_HWC)], "mask": [files.encode_png(strokes_HWC)]}
    done_HWC = files.decode(answer(pd.DataFrame(given), {})["completion"][0])
    assert (done_HWC[~hole_HW] == own_HWC[~hole_HW]).all() and (done_HWC[hole_HW][:, 3] == 255).all()
    assert "warning: row 0: mask: only its transparency" in capsys.readouterr().err


FAULTS = {
    "own mask": "row 0: mask: the mask is the image itself",
    "sizes": "row 0: mask: 49 x 41 pixels, but row 0: image has 50 x 41",
    "no hole": "row 0: mask: no hole in it; holes are white",
    "not an image": "row 0: image: not an image of a kind that is read here; send an encoded picture",
    "nsampling": "0 seeds from 0 on: take one at least",
    "too many": "param nsampling: 2147483648 is over 1000; ask for the rest by further seeds",
    "no number": "param nsampling: None is no whole number",
    "seed": r"2 seeds from 9223372036854775807 on: .* each from 0 to 9223372036854775807",
    "unknown": "param nsample: there is no such; did you mean nsampling?",
    "no bytes": "row 0: image: str and no bytes; send an encoded picture",
    "hole": "'grey': the hole of a mask file is white or black",
    "window": "--window half: choose whole or hole",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_clear_line(answer: Any, fault: str) -> None:
    image_HWC, hole_HW = picture()
    table = asked(image_HWC, hole_HW[:, 1:] if fault == "sizes" else hole_HW & (fault != "no hole"))
    if fault == "not an image":
        table["image"] = [b"text"]
    if fault == "own mask":
        table["mask"] = table["image"]
    if fault == "no bytes":
        table["image"] = ["text"]
    options = {
        "nsampling": {"nsampling": 0},
        "too many": {"nsampling": 2**31},
        "no number": {"nsampling": None},
        "seed": {"nsampling": 2, "seed": 2**63 - 1},
        "unknown": {"nsample": 2},
        "hole": {"hole": "grey"},
        "window": {"window": "half"},
    }.get(fault, {})
    with pytest.raises(UserError, match=FAULTS[fault]) as told:
        answer(table, options)
    assert "\n" not in str(told.value)


REASONS: list[tuple[Any, str]] = [
    ({"nsample": 2}, "no params ['nsample']; there are nsampling, seed, hole, window"),
    ({"nsampling": "two"}, "`DataType.long` for value `two`"),
    ({"nsampling": None}, "param nsampling: None is no whole number"),
    ({"seed": 2**63}, "1 seeds from 9223372036854775808 on"),
    ({"hole": "grey"}, "the hole of a mask file is white or black"),
    ([1], "Parameters must be a dictionary"),
]


BESIDE: list[tuple[dict[str, Any], str]] = [
    ({"nsampling": 4}, "nsampling: not read beside the table; put it into `params`, which takes nsampling, seed"),
    ({"seed": 1, "columns": []}, "seed, columns: not read beside the table"),
]


def answered(client: Any, table: pd.DataFrame, options: Any, **beside: Any) -> tuple[int, Any]:
    """Status and body of a question to the scoring server itself."""
    reply = client.post("/invocations", json={"dataframe_records": encoded(table), "params": options, **beside})
    return reply.status_code, reply.json()


def encoded(table: pd.DataFrame) -> list[dict[str, str]]:
    return [{name: base64.b64encode(data).decode() for name, data in row.items()} for row in table.to_dict("records")]


def test_it_is_registered_once_and_loads_by_its_alias_and_every_400_has_its_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import mlflow
    from fastapi.testclient import TestClient
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc.scoring_server import init

    register.main("latent_codes")
    register.main("latent_codes")
    said = capsys.readouterr().out
    assert f"{ADDRESS} version 1\n" in said and "version 1, registered already" in said
    register.main("latent_codes", set_=["methods.latent_codes.inpaint.temperature=0.5"])
    assert f"{ADDRESS} version 2\n" in capsys.readouterr().out
    mlflow.set_tracking_uri(f"sqlite:///{project}/mlflow.db")
    model = mlflow.pyfunc.load_model(ADDRESS)
    told = model.predict(asked(*picture()), params={"nsampling": 2})
    assert list(told.columns) == ["image", "k", "seed", "completion"] and len(told) == 2
    assert files.decode_rgb(told["completion"][0]).shape == (41, 50, 3)
    image_HWC, hole_HW = picture()
    with pytest.raises(MlflowException, match="give a mask of the same size") as refused:
        model.predict(asked(image_HWC, hole_HW[:, 1:]))
    assert refused.value.get_http_status_code() == 400
    client = TestClient(init(model))  # what `mlflow models serve` runs
    for options, told in REASONS:
        status, said = answered(client, asked(*picture()), options)
        assert status == 400 and told in said["message"].rpartition("Error: ")[2], said
    assert answered(client, asked(*picture()), {"seed": 2**63 - 1})[0] == 200
    for beside, told in BESIDE:
        status, said = answered(client, asked(*picture()), {}, **beside)
        assert status == 400 and told in said["message"], said
    status, said = answered(client, asked(*picture()).assign(edges=b"map"), {})
    assert status == 400 and "no columns ['edges']; there are image, mask" in said["message"], said
    lines = {name: base64.encodebytes(data).decode() for name, data in asked(*picture()).iloc[0].items()}
    assert all("\n" in text.strip() for text in lines.values())  # every 76 signs
    assert client.post("/invocations", json={"dataframe_records": [lines]}).status_code == 200
    version = mlflow.MlflowClient().get_model_version_by_alias("toys", "latent_codes")
    assert version.tags["method"] == "latent_codes" and len(version.tags["weights.vq"]) == 64
    assert model.metadata.signature.params.to_dict()[0]["name"] == "nsampling"
    assert model.metadata.saved_input_example_info is not None


def test_without_mlflow_or_with_track_none_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"track is none.*set track\.backend"):
        register.main("latent_codes", set_=["track=none"])
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    with pytest.raises(UserError, match="mlflow is not installed"):
        register.main("classical/mean")


@contextmanager
def served_by_http(project: Path) -> Iterator[str]:
    """The address of `mlflow models serve`, run apart from the project's code and data."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    own |= {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db"}
    words = ["models", "serve", "--env-manager", "local", "--model-uri", ADDRESS, "--host", "127.0.0.1"]
    command = [sys.executable, "-m", "mlflow", *words, "--port", str(port)]
    with (project / "served.log").open("w") as log:
        server = subprocess.Popen(command, cwd="/", env=own, stdout=log, stderr=log, start_new_session=True)
        try:
            _until_it_answers(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            os.killpg(server.pid, 15)
            server.wait()


def _until_it_answers(address: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/ping"):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server ended")


def post(address: str, table: pd.DataFrame, **options: Any) -> tuple[int, Any]:
    """Status and body of a question, as a client that knows nothing of ours asks it."""
    body = json.dumps({"dataframe_records": encoded(table), "params": options}).encode()
    asking = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asking) as told:
            return told.status, json.loads(told.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_it_is_served_by_http_and_a_wrong_shape_is_a_400(project: Path) -> None:
    register.main("latent_codes")
    image_HWC, hole_HW = picture()
    with served_by_http(project) as address:
        status, told = post(address, asked(image_HWC, hole_HW), nsampling=3, seed=1)
        assert status == 200 and [one["seed"] for one in told["predictions"]] == [1, 2, 3]
        drawn = [files.decode_rgb(base64.b64decode(one["completion"])) for one in told["predictions"]]
        assert all((one[~hole_HW] == image_HWC[~hole_HW]).all() for one in drawn) and (drawn[0] != drawn[1]).any()
        status, told = post(address, asked(image_HWC, hole_HW[:, 1:]))
        assert status == 400 and "49 x 41 pixels, but row 0: image has 50 x 41" in told["message"]
        status, told = post(address, asked(image_HWC, hole_HW).drop(columns="mask"))
        assert status == 400 and "mask" in told["message"]
