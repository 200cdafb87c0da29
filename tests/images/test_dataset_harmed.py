"""A dataset that was harmed after it was made is never read as if it were whole: the file is named, and the mend."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages import shard
from stages.contract import UserError
from stages.images.dataset import SPLITS, Dataset, packed_path
from stages.images.files import read_rgb, write_png
from stages.images.masks import MaskSet
from tests.faults.harm import flip, truncate

BLOCKS = {
    "jpg": {"layout": "folder", "root": "pictures", "size": 16, "format": "jpg", "packed_mb": 0},
    "packed": {"layout": "folder", "root": "pictures", "size": 16},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A project with a dataset of packed pixels, and one of JPEGs in tars alone."""
    root, draw = tmp_path_factory.mktemp("made"), np.random.default_rng(0)
    for split in SPLITS:
        for i in range(3):
            write_png(root / "pictures" / split / f"{i}.png", draw.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    values = {"datasets": {name: BLOCKS[name] for name in ("jpg", "packed")}, "data": {"dataset": "jpg"}}
    values["testsets"] = {name: {"dataset": name, "masks": "half", "samples": 1} for name in BLOCKS}
    with (root / "params.yaml").open("w") as file:
        YAML().dump({**values, "masks": {"half": {"generator": "box", "side": 0.5}}}, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.delenv("PLURIFILL_DATA", raising=False)
        shard.main()
    return root / "data"


@pytest.fixture
def data(made, tmp_path) -> Path:
    """A copy, to be harmed."""
    return shutil.copytree(made, tmp_path / "data")


def read(data: Path, name: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """All of a dataset's images, split by split, and the holes of the last."""
    opened = [Dataset.open(data / "shards" / name, split) for split in SPLITS]
    images = [one.image(index) for one in opened for index in range(len(one))]
    masks = MaskSet.open(data / "masks" / name, "half")
    return images, [masks.hole(key) for key in opened[-1].keys]


@pytest.mark.parametrize("name", ["jpg", "packed"])
def test_what_is_whole_is_read(data, name):
    images, holes = read(data, name)
    assert [image_HWC.shape for image_HWC in images] == [(16, 16, 3)] * 9
    assert [hole_HW.sum() for hole_HW in holes] == [8 * 8] * 3


def test_packed_pixels_are_the_pictures_own(made, data):
    pictures = [read_rgb(made.parent / "pictures" / split / f"{i}.png") for split in SPLITS for i in range(3)]
    assert {one.tobytes() for one in read(data, "packed")[0]} == {one.tobytes() for one in pictures}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("split", SPLITS)
def test_any_other_bit_of_packed_pixels_is_found(data, split, seed, draw):
    path = packed_path(data / "shards" / "packed", split)
    draw.seed(seed)
    flip(path, draw)
    with pytest.raises(UserError, match=rf"{path.name}: .* is not what was stored; .* `plurifill shard packed`"):
        read(data, "packed")


@pytest.mark.parametrize("harm", [truncate, lambda path, draw: path.unlink()])
@pytest.mark.parametrize(
    "name",
    [
        *("shards/jpg/jpg-test-000000.tar", "shards/jpg/dataset.json", "shards/jpg/index.parquet"),
        *("masks/jpg/half.npz", "masks/jpg/half.json"),
    ],
)
def test_a_file_that_ends_early_or_is_gone_is_named(data, name, harm, draw):
    harm(data / name, draw)
    stem = name.rpartition(".")[0] if name.startswith("masks") else name
    with pytest.raises(UserError, match=rf"{stem}|no mask set half") as told:
        read(data, "jpg")
    assert "\n" not in str(told.value) and ("plurifill shard" in str(told.value) or "dvc repro" in str(told.value))


def test_another_bit_of_a_stored_jpeg_is_found_wherever_it_shows(data, draw):
    """Bits of a tar's own headers show nowhere: pixels are read by their place."""
    folder, found = data / "shards" / "jpg", 0
    whole = [Dataset.open(folder, "test").image(i) for i in range(3)]
    path = folder / "jpg-test-000000.tar"
    before = path.read_bytes()
    for _ in range(60):
        flip(path, draw)
        opened = Dataset.open(folder, "test")
        try:
            assert all(np.array_equal(opened.image(i), whole[i]) for i in range(3))
        except UserError as error:
            found += path.name in str(error)
        path.write_bytes(before)
    assert found > 10


def test_shards_that_were_harmed_are_not_put_back_but_made_anew(made, tmp_path, monkeypatch, draw):
    root = shutil.copytree(made.parent, tmp_path / "root")
    monkeypatch.chdir(root)
    finished = next((root / "data/progress/finished/packed/shards").iterdir())
    flip(packed_path(finished, "train"), draw)
    flip(packed_path(root / "data/shards/packed", "train"), draw)
    shard.main(["packed"])
    images, whole = (read(place, "packed")[0] for place in (root / "data", made))
    assert all(np.array_equal(one, other) for one, other in zip(images, whole, strict=True))
