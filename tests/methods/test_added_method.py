"""A method is a folder, a loss a file: put in their places and named in params.yaml, every verb knows them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

import stages.losses
import stages.methods
from stages import benchmark, sample, shard, train
from stages.images.files import read_rgb, write_png
from stages.project import tables
from stages.project.code import closure
from stages.project.releases import read_config
from stages.sampling.store import SampleStore
from tests.sampling import toy

SIZE = 16
PARAMS = {
    "data": {"dataset": "toy"},
    "datasets": {"toy": {"layout": "folder", "root": "pictures", "size": SIZE}},
    "masks": {"none": None, "centre": {"generator": "box", "side": 0.5}},
    "track": "none",
    "methods": {
        "painter": {
            "colour": {"lr": 0.1, "masks": "centre", "loop": {"steps": 60, "batch": 4, "eval_images": 4}},
            "inpaint": {"spread": 0.1, "variants": {"wide": {"spread": 0.5}}},
        }
    },
    "testsets": {"centre": {"masks": "centre", "samples": 2}},
    "protocols": {
        "centre": {
            "testset": "centre",
            "composite": True,
            "selection": "all",
            "metrics": ["l1_hole", "diversity_pixel"],
        }
    },
}
LOSS = '''\
"""The mean fourth power of a difference."""
from torch import Tensor


def quartic(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).pow(4).mean()
'''
PART = '''\
"""One colour for every hole."""
import torch
from torch import nn

from stages import contract
from stages.losses.quartic import quartic
from stages.losses.tally import Tally

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    lr: float


class Colour(nn.Module):
    def __init__(self):
        super().__init__()
        self.colour_C11 = nn.Parameter(torch.zeros(3, 1, 1))


class ColourPart:
    def __init__(self, params, accelerator):
        self.accelerator = accelerator
        self.model = accelerator.prepare(Colour())
        self.optimizer = torch.optim.Adam(self.model.parameters(), params.lr)

    def step(self, batch):
        loss = quartic(self.model.colour_C11.expand_as(batch.image_BCHW), batch.image_BCHW)
        self.accelerator.minimize(loss, self.optimizer)
        return {"quartic": loss.detach()}

    def measure(self, batch):
        tally = Tally()
        tally.mean("quartic", quartic(self.model.colour_C11.expand_as(batch.image_BCHW), batch.image_BCHW))
        return tally

    def figures(self, tally):
        return tally.means()

    def pictures(self, batch):
        return {"image": batch.image_BCHW}

    def state(self):
        return {"model": self.model, "optimizer": self.optimizer}


def restore(trained):
    model = Colour()
    model.load_state_dict(dict(trained.tensors))
    return model


def build(params, parents, spec, accelerator):
    return ColourPart(params, accelerator)
'''
INPAINT = '''\
"""The colour, and a seed's shift of it."""
import torch

from stages import contract
from stages.contract import Completions
from stages.methods.painter import colour

PARENTS = ("colour",)
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    spread: float


class Painter:
    def __init__(self, params, net):
        self.spread, self.net = params.spread, net

    @torch.no_grad()
    def sample(self, request):
        seeds = request.seeds_BK.flatten().tolist()
        shift_R = torch.stack([torch.rand((), generator=torch.Generator().manual_seed(s)) - 0.5 for s in seeds])
        shift_BK111 = self.spread * shift_R.view(*request.seeds_BK.shape, 1, 1, 1)
        raw_BKCHW = (self.net.colour_C11 + shift_BK111).expand(-1, -1, 3, *request.image_BCHW.shape[2:])
        return Completions(raw_BKCHW.clamp(-1, 1))


def build(params, parents, device):
    return Painter(params, colour.restore(parents["colour"]))
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Reddish pictures, and a method `painter` with a loss of its own beside the project's code."""
    for package, files in (
        (stages.losses, {"losses/quartic.py": LOSS}),
        (
            stages.methods,
            {
                "methods/painter/__init__.py": "",
                "methods/painter/colour.py": PART,
                "methods/painter/inpaint.py": INPAINT,
            },
        ),
    ):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        folder = tmp_path / next(iter(files)).split("/")[0]
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    rng = np.random.default_rng(0)
    for split, count in {"train": 8, "val": 4, "test": 4}.items():
        for number in range(count):
            noise_HWC = rng.integers(0, 60, (SIZE, SIZE, 3), dtype=np.uint8)
            write_png(tmp_path / f"pictures/{split}/{number}.png", noise_HWC + np.uint8([180, 20, 20]))
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump(PARAMS, file)
    with toy.inside(tmp_path):
        yield tmp_path
    for name in [name for name in sys.modules if "painter" in name or "quartic" in name]:
        sys.modules.pop(name)


def test_it_is_trained_sampled_and_scored_with_no_other_edit(project):
    shard.main(["toy"])
    train.main("painter", device="cpu")
    sample.main("painter", device="cpu")
    benchmark.main("painter", device="cpu")
    told = read_config(project / "data/models/painter/colour")
    assert told["masks"] == {"name": "centre", "generator": {"generator": "box", "side": 0.5}}
    assert set(closure(["stages.methods.painter.inpaint"])) == {
        "stages.losses.quartic",
        "stages.losses.tally",
        "stages.methods.painter.colour",
        "stages.methods.painter.inpaint",
    }
    samples = SampleStore.open(project / "data/samples/painter/centre/plain")
    red, green = (np.mean([samples.raw_KHWC(key)[..., channel].mean() for key in samples.keys]) for channel in (0, 1))
    assert red > 190 and green < 90  # it has learnt what the pictures are like
    scores = tables.read(Path("reports/scores/painter.summary")).set_index(["method", "metric"])["estimate"]
    assert 0 < scores["painter", "diversity_pixel"] < scores["painter/wide", "diversity_pixel"]
    assert read_rgb(next(project.glob("data/models/painter/colour/pictures/*.png"))).shape[2] == 3
