"""A built dataset: the same bytes twice, tars that webdataset reads, faults and duplicates told and kept out."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import webdataset
from PIL import Image

from stages.contract import UserError
from stages.images.dataset import Dataset, packed_path
from stages.images.files import decode_rgb
from stages.project import tables
from tests.images.conftest import Make, Paint, picture


@pytest.fixture
def source(tmp_path: Path, paint: Paint) -> Path:
    for seed in range(12):
        split = ("train", "train", "val", "test")[seed % 4]
        paint(tmp_path / f"src/{split}/{seed}.png", seed)
    return tmp_path / "src"


def test_the_same_bytes_twice(source: Path, make: Make) -> None:
    one, two = (make("folder", name, root=str(source)) for name in ("one", "two"))
    assert one[0] == two[0]
    files = sorted(path.name for path in one[1].iterdir())
    assert len(files) == 3 + 3 + 4 and files == sorted(path.name for path in two[1].iterdir())
    assert all((one[1] / name).read_bytes() == (two[1] / name).read_bytes() for name in files)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_tars_and_packed_pixels_agree_and_webdataset_reads_them(source: Path, make: Make, ending: str) -> None:
    _, folder = make("folder", root=str(source), format=ending, shard_mb=0.005)
    packed = Dataset.open(folder, "train")
    packed_path(folder, "train").unlink()
    tarred = Dataset.open(folder, "train")
    assert packed.packed is not None and tarred.packed is None
    shards = sorted(str(path) for path in folder.glob("d-train-*.tar"))
    assert len(shards) > 1
    samples = list(webdataset.WebDataset(shards, shardshuffle=False, empty_check=False))
    assert [sample["__key__"] for sample in samples] == tarred.keys
    for index, sample in enumerate(samples):
        assert np.array_equal(packed.image(index), tarred.image(index))
        assert np.abs(decode_rgb(sample[ending]).astype(int) - tarred.image(index)).max() <= 1  # another JPEG decoder
        assert json.loads(sample["json"])["source"] == tarred.sources[index]


def test_val_and_test_are_square_and_train_is_whole(source: Path, make: Make) -> None:
    _, folder = make("folder", root=str(source), resize={"side": 20})
    assert Dataset.open(folder, "train").image(0).shape == (20, 24, 3)
    assert Dataset.open(folder, "test").image(0).shape == (16, 16, 3)
    _, centred = make("folder", "centred", root=str(source), resize={"side": 20}, crop="centre")
    assert Dataset.open(centred, "train").image(0).shape == (16, 16, 3)
    _, square = make("folder", "square", root=str(source), resize={"policy": "square", "side": 18})
    assert Dataset.open(square, "train").image(0).shape == (18, 18, 3)


def test_pixels_too_many_to_pack_are_read_from_tars(source: Path, make: Make) -> None:
    _, folder = make("folder", root=str(source), packed_mb=0.003)
    assert not packed_path(folder, "train").exists() and packed_path(folder, "test").exists()
    assert len(Dataset.open(folder, "train")) == 6


def test_every_fault_is_quarantined_with_its_reason(source: Path, make: Make, paint: Paint) -> None:
    whole = io.BytesIO()
    Image.fromarray(picture(50, 200, 200)).save(whole, "JPEG")
    (source / "train/truncated.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (source / "train/empty.png").write_bytes(b"")
    (source / "train/words.png").write_text("not an image")
    paint(source / "train/bomb.png", 51, height=300, width=300)
    Image.fromarray(np.zeros((30, 30), dtype=np.float32)).save(source / "train/float.tif")
    paint(source / "train/small.png", 52, height=10, width=10)
    card, folder = make("folder", root=str(source), quarantine_limit=0.5, max_pixels=80000, resize={"policy": "none"})
    table = tables.read(folder / "quarantine")
    reasons = dict(zip(table["name"], table["reason"], strict=True))
    told = {"truncated.jpg": "truncated", "empty.png": "empty", "words.png": "not an image", "bomb.png": "oversized"}
    told |= {"float.tif": "mode F", "small.png": "smaller than"}
    assert set(reasons) == {f"train/{name}" for name in told} and card["quarantined"] == 6
    assert all(reason in reasons[f"train/{name}"] for name, reason in told.items())


def test_too_many_faults_end_the_run_and_leave_the_old_dataset(source: Path, make: Make) -> None:
    _, folder = make("folder", root=str(source))
    (source / "train/empty.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1 of 13 .*quarantine_limit = 0.05.*empty\.png: empty file"):
        make("folder", root=str(source), quarantine_limit=0.05)
    assert len(Dataset.open(folder, "train")) == 6
    assert len(tables.read(folder.with_name("d-quarantine"))) == 1


def test_duplicates_of_held_out_images_leave_train(source: Path, make: Make, paint: Paint) -> None:
    (source / "train/exact.png").write_bytes((source / "test/3.png").read_bytes())
    paint(source / "train/near.jpg", 2, quality=60)
    card, folder = make("folder", root=str(source))
    rows = tables.read(folder / "duplicates").set_index("name")
    assert rows.loc["train/exact.png", ["of_key", "kind"]].tolist() == ["test-3", "exact"]
    assert rows.loc["train/near.jpg", ["of_key", "kind"]].tolist() == ["val-2", "near"]
    assert card["duplicates"] == {"listed": 2, "removed": 2} and card["counts"]["train"] == 6
    kept, _ = make("folder", "kept", root=str(source), duplicates={"remove": False})
    assert kept["duplicates"] == {"listed": 2, "removed": 0} and kept["counts"]["train"] == 8
    exact, _ = make("folder", "exact", root=str(source), duplicates={"near": None})
    assert exact["duplicates"] == {"listed": 1, "removed": 1}


def test_the_split_hash_tells_pixels_and_keys(source: Path, make: Make, paint: Paint) -> None:
    before, _ = make("folder", root=str(source))
    (source / "val/2.png").rename(source / "val/two.png")
    renamed, _ = make("folder", root=str(source))
    paint(source / "train/0.png", 99)
    repainted, _ = make("folder", root=str(source))
    assert [before["splits"][s] == renamed["splits"][s] for s in ("train", "val", "test")] == [True, False, True]
    assert [renamed["splits"][s] == repainted["splits"][s] for s in ("train", "val", "test")] == [False, True, True]
    assert len({card["fingerprint"] for card in (before, renamed, repainted)}) == 3


def test_names_that_would_share_a_key_are_told_apart(source: Path, make: Make, paint: Paint) -> None:
    paint(source / "train/0.jpg", 70)
    _, folder = make("folder", root=str(source))
    keys = Dataset.open(folder, "train").keys
    assert len(set(keys)) == 7 and sum(key.startswith("train-0-") for key in keys) == 2


def test_a_damaged_or_absent_dataset_is_told(source: Path, make: Make, tmp_path: Path) -> None:
    _, folder = make("folder", root=str(source))
    with pytest.raises(UserError, match="plurifill shard nowhere"):
        Dataset.open(tmp_path / "nowhere", "train")
    packed_path(folder, "val").write_bytes(b"short")
    with pytest.raises(UserError, match="packed-val"):
        Dataset.open(folder, "val")
