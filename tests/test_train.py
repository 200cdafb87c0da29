"""`plurifill train`: the verb on a real (tiny) dataset with latent_codes' parts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file

from stages.cli.app import run as verb
from stages.cli.evaluate import main as evaluate
from stages.contract import UserError
from stages.images.files import write_png
from stages.images.layouts import dataset_params
from stages.project import locks, paths, tables
from stages.project.params import read
from stages.project.releases import read_config, read_trained
from stages.shard import make
from stages.train import main
from stages.training import parts
from stages.training.distributed import Ranks
from stages.training.session import TrainingSession
from tests.training.dots import LOOP, PARAMS

WEIGHTS = os.environ.get("PLURIFILL_WEIGHTS", "")  # before the fixture takes it away


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A project folder with a dataset of dots and its params; no pretrained weights, and no way to get them."""
    home = tmp_path_factory.mktemp("home")
    draw = np.random.default_rng(0)
    for split, count in {"train": 10, "val": 6, "test": 2}.items():
        (home / "dots" / split).mkdir(parents=True)
        for i in range(count):
            write_png(home / "dots" / split / f"{i}.png", draw.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    with (home / "params.yaml").open("w") as file:
        YAML().dump(PARAMS, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("TORCH_HOME", str(home / "weights"))
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        for name in ("PLURIFILL_DATA", "PLURIFILL_WEIGHTS"):
            patch.delenv(name, raising=False)
        make("dots", dataset_params(read(), "dots"), {})
        yield home


def learning(part, *overrides):
    plan = parts.plan(read(overrides=overrides), "latent_codes", part)
    return TrainingSession.of(plan, torch.device("cpu"), Ranks())


def key(part, name):
    return f"methods.latent_codes.{part}.{name}"


@pytest.fixture(scope="module")
def trained(home):
    """All parts, trained by one command."""
    main("latent_codes")
    return home / "data" / "models" / "latent_codes"


def test_one_command_trains_all_parts_and_leaves_what_was_promised(trained):
    for part in ("vq", "encoder", "prior"):
        folder = trained / part
        assert {"model.safetensors", "config.json", "card.md", "metrics.json", "pictures"} < {
            p.name for p in folder.iterdir()
        }
        assert list((folder / "pictures").glob("*.png"))
        curves = tables.read(folder / "curves")
        assert list(curves["split"].unique()) == ["val", "train"] and set(curves["step"]) == {0, 1, 2, 3}
        figures = json.loads((folder / "metrics.json").read_text())
        assert figures["steps"] == 3 and figures["images"] == 12 and figures["final"] and figures["untrained"]
    assert list((trained.parent.parent / "progress").rglob("*.pt")) == []


@pytest.mark.parametrize("part", ["vq", "encoder"])
def test_evaluate_tells_of_val_what_training_told(trained, part, capsys):
    """The same images, holes and seeds: the released weights' figures and the untrained network's, bit for bit."""
    evaluate("latent_codes", part, split="val", limit=LOOP["eval_images"])
    path = Path(capsys.readouterr().out.splitlines()[-1])
    table = tables.read(path.with_suffix("")).set_index("figure")
    told = json.loads((trained / part / "metrics.json").read_text())
    assert set(table["n"]) == {LOOP["eval_images"]} and len(set(table["weights"])) == 1
    for way, name in (("trained", "final"), ("untrained", "untrained")):
        assert told[name] == pytest.approx(table[way].to_dict(), rel=0, abs=0)


def test_evaluate_refuses_a_part_whose_figures_hang_on_what_is_not_released(trained):
    with pytest.raises(UserError, match="marginals"):
        evaluate("latent_codes", "prior")


def test_evaluate_takes_another_mask_generator_and_refuses_what_is_not_there(trained):
    evaluate("latent_codes", "encoder", masks="most")
    assert tables.read(paths.parts("latent_codes") / "encoder.test.most")["masks"].unique().tolist() == ["most"]
    for wrong in ({"split": "tset"}, {"masks": "mots"}):
        with pytest.raises(UserError, match=r"no tset images|mots"):
            evaluate("latent_codes", "encoder", **wrong)


def test_the_card_says_what_was_left_out_and_the_config_what_it_hangs_on(trained):
    assert "Left out: perceptual:vgg" in (trained / "vq" / "card.md").read_text()
    config = read_config(trained / "encoder")
    assert config["parents"] == {"vq": read_config(trained / "vq")["sha256"]}
    assert config["masks"] == {"name": "half", "generator": {"generator": "box", "side": 0.5}}
    assert config["params"]["token_mask"]["alpha"] == 0.5
    assert read_config(trained / "vq")["perceptual"] == {"vgg": "absent"}
    assert read_config(trained / "vq")["loss_networks"] == []
    assert "Losses read: no pretrained network" in (trained / "vq" / "card.md").read_text()


def test_what_is_read_back_is_what_was_released(trained):
    read_back = read_trained(trained / "vq")
    assert read_back.spec.size == 16
    tensors = load_file(trained / "vq" / "model.safetensors")
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in read_back.tensors.items())


def test_a_damaged_or_missing_part_is_told_in_one_line(trained, tmp_path):
    with pytest.raises(UserError, match=r"latent_codes/vq/config.json: no trained part; make it by `dvc repro lat"):
        read_trained(tmp_path / "latent_codes" / "vq")
    folder = tmp_path / "vq"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((trained / "vq" / name).read_bytes()[: None if name == "config.json" else -1])
    with pytest.raises(UserError, match=r"model.safetensors: damaged"):
        read_trained(folder)


def test_a_finished_part_is_not_trained_again_but_another_configuration_is(trained, capsys):
    stale = paths.progress("latent_codes", "prior", "0" * 16)
    busy = paths.progress("latent_codes", "prior", "1" * 16)
    for folder in (stale, busy):
        folder.mkdir(parents=True)
    before = (trained / "prior" / "model.safetensors").stat().st_mtime_ns
    with locks.held(busy.with_suffix(".lock"), 0, "busy"):
        main("latent_codes", "prior")
        assert "trained already" in capsys.readouterr().err
        assert (trained / "prior" / "model.safetensors").stat().st_mtime_ns == before
        main("latent_codes", "prior", set_=[key("prior", "lr=0.5")])
    assert (trained / "prior" / "model.safetensors").stat().st_mtime_ns > before
    assert {path.name for path in busy.parent.iterdir()} == {busy.name, f"{busy.name}.lock"}  # what lives stays
    main("latent_codes", "prior")


def test_a_part_that_dvc_removed_before_it_ran_the_stage_is_put_back(trained, capsys):
    before = {path.name: path.read_bytes() for path in (trained / "vq").glob("*.*")}
    shutil.rmtree(trained / "vq")
    main("latent_codes", "vq")
    assert "trained already" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (trained / "vq").glob("*.*")} == before


def test_the_fingerprint_hangs_on_what_the_result_depends_on_and_on_nothing_else(trained):
    fingerprint = learning("encoder").fingerprint
    for same in ("log_every=7", "eval_every=2", "save_every=9", "workers=1", "nonfinite_limit=3", "parallel=ddp"):
        assert learning("encoder", key("encoder", f"loop.{same}")).fingerprint == fingerprint
    assert learning("encoder", "masks.most.side=0.7").fingerprint == fingerprint
    for other in (
        key("encoder", "lr=0.5"),
        key("encoder", "loop.steps=4"),
        key("encoder", "loop.seed=1"),
        key("encoder", "masks=most"),
        "masks.half.side=0.4",
        "methods.latent_codes.token_mask.alpha=0.9",
    ):
        assert learning("encoder", other).fingerprint != fingerprint


def test_two_processes_never_train_one_state(trained, monkeypatch):
    monkeypatch.setattr("stages.training.workplace.PATIENCE_S", 0.0)
    one = learning("vq", key("vq", "lr=0.01"))
    progress = paths.progress("latent_codes", "vq", one.fingerprint)
    with (
        locks.held(progress.with_suffix(".lock"), 0, ""),
        pytest.raises(UserError, match=r"another process trains latent_codes/vq"),
    ):
        one.run(None)


def test_who_waited_for_the_same_training_finds_it_finished(trained):
    """Three processes at once: one trains, the others say that it is done; nothing is left of the wait."""
    words = ["train", "latent_codes", "vq", "-S", key("vq", "lr=0.03"), "-S", key("vq", "loop.steps=20")]
    command = [sys.executable, "-m", "stages.cli.app", *words]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [subprocess.Popen(command, env=path, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert sum("trained already" in text for text in said) == 2
    assert not list(paths.progress("latent_codes", "vq", "").iterdir())


def test_sigterm_saves_exits_with_143_and_releases_nothing(trained, capsys):
    block = [key("vq", "loop.steps=100000"), key("vq", "lr=0.02")]
    folder = paths.progress("latent_codes", "vq", learning("vq", *block).fingerprint)

    def end() -> None:
        while not list(folder.glob("step-*.pt")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(SystemExit) as stop:
        main("latent_codes", "vq", set_=block)
    thread.join()
    assert stop.value.code == 143
    assert "stopped by SIGTERM latent_codes/vq after step" in capsys.readouterr().err
    assert len(list(folder.glob("step-*.pt"))) in {1, 2}
    with locks.held(folder.with_suffix(".lock"), 0, "still held"):
        pass
    assert read_config(trained / "vq")["params"]["lr"] != 0.02  # nothing half-done was released


@pytest.mark.parametrize(
    "words, told",
    [
        (["latent_code"], "no key methods.latent_code; did you mean latent_codes?"),
        (["latent_codes", "vqq"], "no key methods.latent_codes.vqq; did you mean vq?"),
        (["latent_codes", "inpaint"], "latent_codes inpaint: no such part"),
        (["classical"], "classical: it has no part that learns"),
        (["latent_codes", "vq", "--dataset", "dot"], "did you mean dots?"),
        (["latent_codes", "vq", "--device", "cuda:99"], "--device cuda:99"),
        (["latent_codes", "vq", "-S", key("vq", "loop.step=1")], "did you mean steps?"),
        (["latent_codes", "vq", "-S", key("vq", "loop.batch=0")], "vq.loop.batch = 0"),
        (["latent_codes", "vq", "-S", key("vq", "masks=halff")], "did you mean half?"),
    ],
)
def test_the_users_mistakes_are_one_line_and_exit_2(capsys, words, told):
    with pytest.raises(SystemExit) as stop:
        verb("train", words)
    error = capsys.readouterr().err
    assert stop.value.code == 2 and told in error and error.count("\n") == 1


@pytest.mark.skipif(not WEIGHTS, reason="PLURIFILL_WEIGHTS names no folder of pretrained backbones")
@pytest.mark.parametrize(("net", "least"), [("squeeze", 17), ("alex", 31)])
def test_a_loss_whose_network_does_not_fit_into_the_images_is_told_before_it_learns(monkeypatch, net, least):
    monkeypatch.setenv("PLURIFILL_WEIGHTS", WEIGHTS)
    values = read()
    values["methods"]["latent_codes"]["vq"] |= {"lpips": 1.0, "lpips_net": net}
    plan = parts.plan(values, "latent_codes", "vq")
    with pytest.raises(UserError, match=f"losses on {net} need images of {least} px a side, and dots has 16"):
        TrainingSession.of(plan, torch.device("cpu"), Ranks())


def test_a_dry_run_needs_no_data_no_parents_and_no_memory(capsys, monkeypatch, tmp_path):
    """A prior of 10^12 parameters: what the meta device counts, no machine could allocate."""
    monkeypatch.setenv("PLURIFILL_DATA", str(tmp_path))
    wide = [key("prior", "width=100000"), key("prior", "layers=10"), key("prior", "loop.batch=100000")]
    main("latent_codes", "prior", set_=wide, dry_run=True)
    out = capsys.readouterr().out
    assert "# latent_codes/prior" in out and "width: 100000" in out
    count = next(line for line in out.splitlines() if line.split()[:1] == ["model.transformer"])
    assert int(count.split()[1].replace(",", "")) > 10**12
    assert "100000x64x8" in out  # logits of a step: images x positions x codes
    assert "3 steps x 100000 images" in out
    assert not list(tmp_path.iterdir())


def test_a_dry_run_of_all_parts_tells_every_part(capsys):
    main("latent_codes", dry_run=True)
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("# ")] == [
        "# latent_codes/vq",
        "# latent_codes/encoder",
        "# latent_codes/prior",
    ]
    assert "discriminator" in out and "depends on values" not in out


@pytest.mark.long  # torchrun: three processes that import torch
def test_torchrun_trains_a_part(trained):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    words = ["train", "latent_codes", "vq", "-S", key("vq", "lr=0.03"), "-S", key("vq", "restart_after=1")]
    subprocess.run([*torchrun, "-m", "stages.cli.app", *words], check=True, timeout=240)
    assert read_config(trained / "vq")["params"]["lr"] == 0.03
