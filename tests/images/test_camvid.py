"""Layout camvid: frames with maps, val one stretch of train, and maps that stay on their images through every crop."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stages.contract import UserError
from stages.images.build import build
from stages.images.dataset import Dataset
from stages.images.layouts import layout
from stages.images.sources.item import Item
from stages.images.stream import FixedBatches, TrainStream
from stages.project import tables
from tests.images.conftest import Make, params_of, silent

FRAMES = {"train": 20, "test": 3}
COLOURS = np.random.default_rng(0).permutation(256)[:12].astype(np.uint8)  # the red of each class


def frame(root: Path, split: str, number: int, side: int = 24) -> None:
    """A frame whose every pixel tells its class by its red."""
    labels_HW = np.random.default_rng((len(split), number)).integers(0, 12, (side, side + 6), dtype=np.uint8)
    name = f"{split}/{{}}/0016E5_{number:05d}.png"
    for kind, picture in (("images", COLOURS[labels_HW][..., None].repeat(3, axis=-1)), ("labels", labels_HW)):
        (root / name.format(kind)).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(root / name.format(kind))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for split, count in FRAMES.items():
        for number in range(count):
            frame(tmp_path / "camvid", split, number)
    return tmp_path / "camvid"


def listed(root: Path, **keys: object) -> list[Item]:
    return layout("camvid").items(params_of("camvid", root=str(root), **keys))


def of(found: list[Item], split: str) -> list[str]:
    return [item.name for item in found if item.split == split]


def test_val_is_the_end_of_train_by_name(root: Path) -> None:
    frames = [f"train/images/0016E5_{number:05d}.png" for number in range(20)]
    found = listed(root)
    assert (of(found, "train"), of(found, "val")) == (frames[:18], frames[18:])
    assert of(found, "test") == [f"test/images/0016E5_{number:05d}.png" for number in range(3)]
    assert of(listed(root, shares={"val": 0.5}), "val") == frames[10:]
    assert of(listed(root, shares={"val": 0}), "train") == frames
    assert of(listed(root, shares={"val": 0.99}), "train") == frames[:1]


def test_a_val_folder_is_val(root: Path) -> None:
    frame(root, "val", 7)
    found = listed(root)
    assert of(found, "val") == ["val/images/0016E5_00007.png"] and len(of(found, "train")) == 20


def test_a_split_file_decides_and_maps_are_found_all_the_same(root: Path, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("train/images/0016E5_00003.png test\ntest/images/0016E5_00001.png train\n")
    found = listed(root, splits=str(tmp_path / "s.txt"), shares={"val": 0})
    assert (of(found, "test"), of(found, "train")) == (
        ["train/images/0016E5_00003.png"],
        ["test/images/0016E5_00001.png"],
    )
    assert all(item.labels is not None and item.labels().shape == (24, 30) for item in found)


@pytest.mark.parametrize("gone", ["train/images", "train/labels", "test/images", "test/labels", "val/labels"])
def test_a_missing_folder_is_one_line_with_the_place_to_get_it(root: Path, gone: str) -> None:
    frame(root, "val", 0)
    (root / gone).rename(root / "elsewhere")
    with pytest.raises(UserError, match=f"{gone}: no such folder; get it from http") as told:
        listed(root)
    assert "\n" not in str(told.value)


def test_training_maps_are_flipped_and_cropped_with_their_images(root: Path, make: Make) -> None:
    card, made = make("camvid", root=str(root), resize={"policy": "none"})
    assert card["classes"] == 12 and card["counts"] == {"train": 18, "val": 2, "test": 3}
    colours_V = torch.from_numpy(COLOURS).float() / 127.5 - 1
    train, seen = Dataset.open(made, "train"), set()
    stream = TrainStream(train, None, 6, 0)
    for batch in [*(stream(k) for k in range(6)), *FixedBatches(Dataset.open(made, "val"), None, 2, 2, 0)]:
        assert batch.labels_BHW is not None and batch.labels_BHW.dtype == torch.int64
        assert torch.equal(batch.image_BCHW[:, 0], colours_V[batch.labels_BHW])
        seen |= {
            (key, labels_HW.numpy().tobytes()) for key, labels_HW in zip(batch.keys, batch.labels_BHW, strict=True)
        }
    assert len(seen) > 30, "an image is cut in several ways"


def test_real_frames(real_images: Path, tmp_path: Path) -> None:
    if not (real_images / "camvid").is_dir():
        pytest.skip("no camvid in PLURIFILL_TEST_DATA")
    params = params_of("camvid", root=str(real_images / "camvid"), size=32)
    card = build("camvid", params, tmp_path / "made", silent)
    assert card["counts"] == {"train": 166, "val": 18, "test": 78} and card["quarantined"] == 0
    assert tables.read(tmp_path / "made/duplicates").empty, "no frame at a seam looks like its neighbour beyond it"
    names = tables.read(tmp_path / "made/index").query("split != 'test'").sort_values("name")
    assert names["split"].tolist() == ["train"] * 166 + ["val"] * 18
    test = Dataset.open(tmp_path / "made", "test")
    maps = [test.labels(index) for index in range(len(test))]
    assert set(np.unique(np.stack([labels_HW for labels_HW in maps if labels_HW is not None]))) == set(range(12))
