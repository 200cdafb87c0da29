"""A released part that is none, or another's: one line that names it, exit code 2, and no code of a pickle runs."""

import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from stages.cli import app
from stages.contract import UserError
from stages.images.files import write_png
from stages.project import releases
from stages.project.entries import Entry
from stages.project.hashing import of_file
from stages.sampling import inpainters
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.latent_codes.conftest import make_part, release

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 96\n"


class Code:
    """A pickle that makes the folder `ran`."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("ran",)


def as_torch_saves(value: Any) -> bytes:
    data = io.BytesIO()
    torch.save(value, data)
    return data.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The released vq of latent_codes, untrained, where the project looks for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLURIFILL_DATA", raising=False)
    vq = release("vq", make_part("vq", {}, PlainTools(mean_square)))
    config = {"params": dict(vq.params), "spec": {"size": 32, "classes": 0}}
    place = Path("data/models/latent_codes/vq")
    releases.publish(releases.Release(vq.tensors, config, {}, "", lambda stem: None, ()), place)
    return place


WEIGHTS = {
    "an LFS pointer": POINTER,
    "nothing": b"",
    "a pickle": pickle.dumps(Code(), 2),
    "a pickle as torch saves it": as_torch_saves({"weight": Code()}),
    "a cut file": save({"weight": torch.zeros(9)})[:-4],
    "a header past the end": (2**40).to_bytes(8, "little") + b"{}",
}


@pytest.mark.parametrize("checksum", ["theirs", "the part's"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_what_is_no_file_of_weights_is_named_whatever_its_checksum(folder: Path, weights: str, checksum: str) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(WEIGHTS[weights])
    if checksum == "theirs":
        config = releases.read_config(folder)
        releases.write_json(folder / "config.json", {**config, "sha256": of_file(path)})
    with pytest.raises(UserError, match=r"latent_codes/vq/model\.safetensors: .*; make it by `dvc repro") as told:
        releases.read_trained(folder)
    assert "\n" not in str(told.value) and not Path("ran").exists()


def test_a_pointer_as_weights_ends_inpaint_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "model.safetensors").write_bytes(POINTER)
    write_png(Path("i.png"), torch.zeros(4, 4, 3, dtype=torch.uint8).numpy())
    Path("params.yaml").write_text("methods: {latent_codes: {token_mask: {}, inpaint: {}}}\n")
    with pytest.raises(SystemExit) as ended:
        app.run("inpaint", ["--method", "latent_codes", "--image", "i.png", "--mask", "i.png", "--output", "o.png"])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and "latent_codes/" in line and not Path("o.png").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "damaged"),
        ("{}", r"damaged: it lacks a block \(params, spec\)"),
        ('{"params": 1, "spec": {"size": 32}}', "damaged: it lacks a block"),
        ('{"params": {}, "spec": {}}', "spec = {}: it tells size and classes"),
        ('{"params": {}, "spec": {"size": "32"}}', "it tells size and classes"),
        ('{"params": {}, "spec": {"size": true}}', "it tells size and classes"),
        ('{"params": {}, "spec": {"size": 32, "sides": 2}}', "it tells size and classes"),
        ('{"params": {}, "spec": {"size": 0}}', "it tells size and classes"),
    ],
)
def test_a_config_that_is_none_is_one_line(folder: Path, text: str, told: str) -> None:
    values = json.loads(text)
    sha256 = releases.read_config(folder)["sha256"]
    (folder / "config.json").write_text(json.dumps({**values, "sha256": sha256}) if isinstance(values, dict) else text)
    with pytest.raises(UserError, match=rf"config\.json: {told}.*" if told == "damaged" else told):
        releases.read_trained(folder)


@pytest.mark.parametrize("tensors", [{}, {"weight": torch.zeros(3)}])
def test_weights_of_another_network_are_one_line_that_says_to_train_again(folder: Path, tensors: Any) -> None:
    trained = {"vq": releases.read_trained(folder)}
    parents = {name: trained["vq"] for name in inpainters.module("latent_codes").PARENTS}
    unfit = {name: type(one)(one.params, one.spec, tensors) for name, one in parents.items()}
    own = inpainters.module("latent_codes").Params()
    with pytest.raises(UserError, match=r"does not fit the code that reads it .*plurifill train latent_codes") as told:
        inpainters.build(Entry("latent_codes").method, own, unfit, torch.device("cpu"))
    assert "\n" not in str(told.value)
