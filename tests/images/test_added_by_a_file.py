"""A layout and a mask generator are a file each: put in their folders, params.yaml finds them by name."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from stages import shard
from stages.contract import UserError
from stages.images import layouts
from stages.images.dataset import Dataset
from stages.images.dataset_params import DatasetParams
from stages.images.masks import MaskSet, generators
from stages.images.sources.item import Item
from stages.project import plugins
from tests.images.conftest import Paint

PARAMS = """\
datasets:
  mine: {layout: striped, root: src, size: 16, prefix: a}
masks:
  chess: {generator: chessboard, cell: 4}
testsets:
  chess: {masks: chess, samples: 1}
"""
LAYOUT = '''\
"""Even images for training, odd ones for val and test, those of a prefix alone."""
from pathlib import Path

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.root import root_of

SPLITS = ("train", "val", "train", "test")


class Params(DatasetParams):
    prefix: str


def items(params: Params) -> list[Item]:
    root = root_of(params, "images", "nowhere")
    names = sorted(path.name for path in root.glob(f"{params.prefix}*.png"))
    return [Item(name, SPLITS[i % 4], root) for i, name in enumerate(names)]
'''
GENERATOR = '''\
"""A chessboard of holes."""
from typing import Literal

import numpy as np

from stages.contract import Params


class Generator(Params):
    generator: Literal["chessboard"]
    cell: int

    def draw(self, rng, size):
        rows, columns = np.indices((size, size)) // self.cell
        return (rows + columns) % 2 == 1
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paint: Paint) -> Iterator[Path]:
    """A project whose layout and mask generator are two files that are nowhere else named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLURIFILL_DATA", raising=False)
    (tmp_path / "params.yaml").write_text(PARAMS)
    for seed in range(10):
        paint(tmp_path / f"src/{'ab'[seed > 7]}{seed}.png", seed)
    for package, name, text in ((layouts, "striped", LAYOUT), (generators, "chessboard", GENERATOR)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    yield tmp_path
    for package, name in ((layouts, "striped"), (generators, "chessboard")):
        sys.modules.pop(f"{package.__name__}.{name}", None)
        vars(package).pop(name, None)


def test_both_are_used_through_params(project: Path) -> None:
    shard.main()
    counts = [len(Dataset.open(project / "data/shards/mine", split)) for split in ("train", "val", "test")]
    assert counts == [4, 2, 2]
    test = Dataset.open(project / "data/shards/mine", "test")
    masks = MaskSet.open(project / "data/masks/mine", "chess")
    for key in test.keys:
        assert masks.hole(key).sum() == 128 and not masks.hole(key)[:4, :4].any() and masks.hole(key)[:4, 4:8].all()


def test_both_are_known_where_a_name_is_misspelt(project: Path) -> None:
    with pytest.raises(UserError, match=r"datasets\.mine\.layout = 'stripes'.*did you mean striped"):
        shard.main(set_=["datasets.mine.layout=stripes"])
    with pytest.raises(UserError, match=r"masks\.chess\.generator = 'chess'.*did you mean chessboard"):
        shard.main(set_=["masks.chess.generator=chess"])
    with pytest.raises(UserError, match=r"datasets\.mine\.prefix is missing"):
        shard.main(set_=["datasets.mine={layout: striped, root: src, size: 16}"])


@pytest.mark.parametrize("name", plugins.names("stages.images.layouts"))
def test_a_layouts_file_keeps_the_agreement(name: str) -> None:
    items = layouts.layout(name).items
    hints = get_type_hints(items)
    assert hints["return"] == list[Item]
    assert issubclass(layouts.layout(name).Params, hints["params"]) and issubclass(hints["params"], DatasetParams)


@pytest.mark.parametrize("name", plugins.names("stages.images.masks.generators"))
def test_a_generators_file_keeps_the_agreement(name: str) -> None:
    generator = plugins.find("stages.images.masks.generators", name).Generator
    assert get_type_hints(generator.draw)["rng"] is np.random.Generator
    assert generator.model_fields["generator"].annotation.__args__ == (name,)
