"""`plurifill transfer` and the ranking of completions, by a small Flow-Fill that lies where trained parts lie."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.cli import inpaint, transfer
from stages.contract import Trained, UserError
from stages.images import files
from stages.methods.flow_fill.blocks.noise import normal
from stages.project import paths
from stages.project.releases import Release, publish
from stages.sampling import ranking
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.flow_fill.conftest import make_inpainter, make_part, release

PARAMS = """\
methods:
  flow_fill: {inpaint: {temperature: 1.0}}
  classical: {inpaint: {algorithm: mean}}
"""


def family() -> dict[str, Trained]:
    """An untrained prior and a generator that hands its prior on."""
    accelerator, parents = PlainTools(mean_square), {}
    for name, changes in (("prior", {}), ("decoder", {"correct": True})):
        parents[name] = release(name, make_part(name, parents, accelerator, **changes), **changes)
    return parents


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with params.yaml, the trained parts, a source, a mask and two targets of an odd size."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLURIFILL_DATA", raising=False)
    for name, part in family().items():
        config = {"params": dict(part.params), "spec": {"size": part.spec.size, "classes": 0}}
        publish(Release(part.tensors, config, {}, "", lambda stem: None, []), paths.model("flow_fill", name))
    rng = np.random.default_rng(0)
    for name in ("source", "one", "other"):
        files.write_png(tmp_path / f"{name}.png", rng.integers(0, 256, (50, 40, 3), dtype=np.uint8))
    hole_HW = np.zeros((50, 40), dtype=np.uint8)
    hole_HW[10:40, 8:32] = 255
    files.write_png(tmp_path / "mask.png", hole_HW)
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def run(work: Path, target: str, output: str = "done.png", **options: object) -> Path:
    given = {"source": work / "source.png", "mask": work / "mask.png", "target": work / target}
    transfer.main(**{"method": "flow_fill", **given, "output": work / output, **options})  # type: ignore[arg-type]
    return work / output


def test_the_hole_follows_the_target_and_known_pixels_stay(work):
    hole_HW = files.read_hole(work / "mask.png")
    source = files.read_rgb(work / "source.png")
    one, other = (files.read_rgb(run(work, f"{name}.png", f"{name}-done.png")) for name in ("one", "other"))
    assert (one[~hole_HW] == source[~hole_HW]).all() and (other[~hole_HW] == source[~hole_HW]).all()
    assert (one[hole_HW] != other[hole_HW]).any()
    note = json.loads((work / "one-done.provenance.json").read_text())
    assert (note["method"], note["target"]["file"]) == ("flow_fill", "one.png")


def test_hole_content_of_the_source_cannot_reach_the_result(work):
    first = run(work, "one.png").read_bytes()
    source, hole_HW = files.read_rgb(work / "source.png").copy(), files.read_hole(work / "mask.png")
    source[hole_HW] = 255 - source[hole_HW]
    files.write_png(work / "source.png", source)
    assert run(work, "one.png").read_bytes() == first


def test_alpha_of_the_source_comes_back(work):
    source, hole_HW = files.read_rgb(work / "source.png"), files.read_hole(work / "mask.png")
    own = np.dstack([source, np.random.default_rng(1).integers(0, 256, hole_HW.shape, dtype=np.uint8)])
    files.write_png(work / "source.png", own)
    done = files.decode(run(work, "one.png").read_bytes())
    assert (done[~hole_HW] == own[~hole_HW]).all() and (done[hole_HW][:, 3] == 255).all()


def test_a_users_mistake_is_one_line(work):
    files.write_png(work / "small.png", np.zeros((8, 8, 3), dtype=np.uint8))
    with pytest.raises(UserError, match="same size"):
        run(work, "small.png")
    with pytest.raises(UserError, match="PNG"):
        run(work, "one.png", "done.jpg")
    with pytest.raises(UserError, match="cannot transfer"):
        run(work, "one.png", method="classical")


def test_completions_are_ranked_by_the_flows_own_log_p_of_its_own_draws(capsys):
    """An untrained flow only turns z, so the likeliest draw is that of the shortest z: whatever the pictures are."""
    inpainter, seeds = make_inpainter(family()), (3, 4, 5, 6)
    z = normal([torch.Generator().manual_seed(seed) for seed in seeds], inpainter.prior.latents)
    lengths_K = torch.stack([z_KCHW.square().sum((1, 2, 3)) for z_KCHW in z]).sum(0)
    known_B1HW = torch.ones(1, 1, 32, 32)
    known_B1HW[..., 8:24, 8:24] = 0
    raw_KCHW = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    ranked_KCHW = ranking.likeliest_first(inpainter, torch.zeros(1, 3, 32, 32), known_B1HW, raw_KCHW, seeds)
    order = lengths_K.argsort().tolist()
    assert torch.equal(ranked_KCHW, raw_KCHW[order]) and order != [0, 1, 2, 3]
    assert capsys.readouterr().err.startswith(f"00: seed {seeds[order[0]]}, log p = ")


def test_inpaint_names_its_files_in_that_order(work, capsys):
    options = {"image": work / "source.png", "mask": work / "mask.png", "output": work / "out", "nsampling": 3}
    inpaint.main(method="flow_fill", **options)
    drawn = {path.read_bytes() for path in (work / "out/source").glob("*.png")}
    by_seed = [(work / f"out/source/{k:02d}.png").read_bytes() for k in range(3)]
    capsys.readouterr()
    inpaint.main(method="flow_fill", rank="likelihood", **options)
    ranked = [(work / f"out/source/{k:02d}.png").read_bytes() for k in range(3)]
    told = [line.split() for line in capsys.readouterr().err.splitlines() if "seed" in line]
    assert len(drawn) == 3 and ranked == [by_seed[int(line[2].rstrip(","))] for line in told]
    assert [float(line[6]) for line in told] == sorted((float(line[6]) for line in told), reverse=True)


def test_a_method_without_likelihood_cannot_rank():
    with pytest.raises(UserError, match="--rank"):
        ranking.likeliest_first(object(), torch.zeros(1), torch.zeros(1), torch.zeros(1), (0,))  # type: ignore[arg-type]
