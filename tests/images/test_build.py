"""A built dataset: the same bytes twice, tars that webdataset reads, faults and duplicates told and kept out."""

import io
import json
import os
import tarfile
from pathlib import Path

import cv2
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
    assert [sample["__key__"] for sample in samples] == list(tarred.keys)
    for index, sample in enumerate(samples):
        assert np.array_equal(packed.image(index), tarred.image(index))
        assert np.abs(decode_rgb(sample[ending]).astype(int) - tarred.image(index)).max() <= 1  # another JPEG decoder
        assert json.loads(sample["json"])["source"] == tarred.sources[index]


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_tars_have_nothing_but_names_and_bytes_in_an_order_of_ours(source: Path, make: Make, ending: str) -> None:
    """As Python's own tarfile writes them: other tars would be other artefacts, to be stored and sent once more."""
    _, folder = make("folder", root=str(source), format=ending, shard_mb=0.005)
    for path in folder.glob("*.tar"):
        same = io.BytesIO()
        with tarfile.open(path) as tar, tarfile.open(fileobj=same, mode="w", format=tarfile.GNU_FORMAT) as plain:
            names = tar.getnames()
            for name in names:
                data = tar.extractfile(name).read()
                header = tarfile.TarInfo(name)
                header.size = len(data)
                plain.addfile(header, io.BytesIO(data))
        assert path.read_bytes() == same.getvalue()
        assert [name.rpartition(".")[2] for name in names] == [ending, "json"] * (len(names) // 2)


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


def product(seed: int) -> np.ndarray:
    """A disc or a box of its own paint on white."""
    rng = np.random.default_rng(seed)
    shape_HW = np.zeros((120, 120), dtype=np.uint8)
    half, tall = (int(side) for side in rng.integers(15, 40, 2))
    if seed % 2:
        cv2.circle(shape_HW, (60, 60), half, 1, -1)
    else:
        cv2.rectangle(shape_HW, (60 - half, 60 - tall), (60 + half, 60 + tall), 1, -1)
    return np.where(shape_HW[..., None] == 1, picture(seed, 120, 120), np.uint8(255))


def test_things_on_white_are_no_duplicates_of_each_other(tmp_path: Path, make: Make) -> None:
    (tmp_path / "src").mkdir()
    for seed in range(100):
        Image.fromarray(product(seed)).save(tmp_path / f"src/{seed}.png")
    card, _ = make("folder", root=str(tmp_path / "src"))
    assert card["duplicates"] == {"listed": 0, "removed": 0} and sum(card["counts"].values()) == 100


@pytest.mark.parametrize("near", [8, None])
def test_too_many_duplicates_end_the_run_and_leave_the_old_dataset(source: Path, make: Make, near: int | None) -> None:
    _, folder = make("folder", root=str(source))
    for path in list((source / "train").iterdir())[:-1]:
        path.write_bytes((source / "test/3.png").read_bytes())
    told = (
        r"5 of 6 training images of d .*datasets\.d\.duplicates\.limit = 0.25.*the first: train/.* \(exact, of test-3\)"
    )
    with pytest.raises(UserError, match=told):
        make("folder", root=str(source), duplicates={"near": near})
    assert len(Dataset.open(folder, "train")) == 6
    assert len(tables.read(folder.with_name("d-duplicates"))) == 5
    card, _ = make("folder", root=str(source), duplicates={"near": near, "limit": 0.9})
    assert card["counts"]["train"] == 1


def test_an_emptied_train_ends_the_run_whatever_the_limits(source: Path, make: Make) -> None:
    limits = {"quarantine_limit": 0.99, "duplicates": {"limit": 0.99}}
    paths = sorted((source / "train").iterdir())
    for path in paths:
        path.write_bytes((source / "val/2.png").read_bytes())
    with pytest.raises(UserError, match=r"6 of 6 training images"):
        make("folder", root=str(source), **limits)
    paths[0].write_bytes(b"")
    with pytest.raises(UserError, match=r"none of its 6 training images is left; the first: train/0\.png: empty file"):
        make("folder", root=str(source), **limits)
    for path in paths:
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"none of its 6 training images is left"):
        make("folder", root=str(source), **limits)
    for path in paths:
        path.unlink()
    card, _ = make("folder", root=str(source))  # a source without training images is no accident
    assert card["counts"] == {"train": 0, "val": 3, "test": 3}


def test_names_that_are_no_utf_8_are_spelt_out(source: Path, make: Make, paint: Paint) -> None:
    for split, seed in (("train", 80), ("val", 81), ("test", 82)):
        (source / os.fsdecode(f"{split}/caf".encode() + b"\xe9.png")).write_bytes(
            paint(source.parent / "p.png", seed).read_bytes()
        )
    (source / os.fsdecode(b"train/\xff.png")).write_bytes(b"")
    card, folder = make("folder", root=str(source), quarantine_limit=0.5)
    assert card["counts"] == {"train": 7, "val": 4, "test": 4}
    assert r"test/caf\xe9.png" in set(tables.read(folder / "index")["name"])
    assert tables.read(folder / "quarantine")["name"].tolist() == [r"train/\xff.png"]
    (source / os.fsdecode(b"train/\xff.png")).rename(source / r"train/caf\xe9.png")
    with pytest.raises(UserError, match=r"are both called train/caf\\xe9.png; rename one"):
        make("folder", root=str(source), quarantine_limit=0.5)


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


def test_an_index_that_has_lost_a_row_is_told(source: Path, make: Make) -> None:
    """As a flipped bit may do to what tells where rows lie, which has no checksum."""
    card, folder = make("folder", root=str(source))
    index = tables.read(folder / "index")
    tables.write(index[index["key"] != index["key"].iloc[-1]], folder / "index")
    count = card["counts"]["train"]
    with pytest.raises(UserError, match=rf"index\.parquet: {count - 1} train images where {count} were written; make"):
        Dataset.open(folder, "train")
