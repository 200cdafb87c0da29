"""Training out of others' tars: the images are those that would be stored, each once an epoch, batch k of (seed, k)."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from stages.contract import Batch, UserError
from stages.images.build import build
from stages.images.dataset import Dataset
from stages.images.layouts import layout
from stages.images.manifest import manifest
from stages.images.stream import TrainStream
from stages.project import tables
from tests.images.conftest import params_of, picture, silent
from tests.images.tars.server import Served, serving

TARS, EACH, BATCH, GROUP = 12, 3, 4, 2
IMAGES = TARS * EACH


def write_tar(path: Path, first: int, count: int, ending: str = "jpg") -> None:
    """A tar as another program writes it: images with what else belongs to a key, in no order of ours."""
    with tarfile.open(path, "w") as tar:
        for seed in range(first, first + count):
            encoded, labels_HW = io.BytesIO(), (picture(seed)[..., 0] > 128).astype(np.uint8)
            Image.fromarray(picture(seed)).save(encoded, "JPEG" if ending == "jpg" else "PNG")
            labels = cv2.imencode(".png", labels_HW)[1].tobytes()
            members = {"cls": b"7", "labels.png": labels, ending: encoded.getvalue(), "json": b"{}"}
            for kind, data in members.items():
                header = tarfile.TarInfo(f"some/{seed:03}.{kind}")
                header.size = len(data)
                tar.addfile(header, io.BytesIO(data))


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tars")
    for number in range(TARS):
        write_tar(folder / f"train-{number:02}.tar", number * EACH, EACH, "png" if number % 2 else "jpg")
    write_tar(folder / "val-00.tar", 100, 3)
    (folder / "local").mkdir()
    for path in folder.glob("train-*.tar"):
        shutil.copy(path, folder / "local")
    return folder


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLURIFILL_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def served(tars: Path) -> Iterator[Served]:
    with serving(tars) as found:
        yield found


def make(data: Path, name: str, train: str, val: str = "", **keys: object) -> Dataset:
    """The training split of a dataset of tars."""
    given = {"train": train, "val": val, "classes": 2, "group": GROUP, "duplicates": {"near": None}, **keys}
    build(name, params_of("tars", shares={"val": 0, "test": 0}, **given), data / "shards" / name, silent)
    return Dataset.open(data / "shards" / name, "train")


def of_server(served: Served, data: Path, name: str = "streamed", **keys: object) -> Dataset:
    """The same out of a server's tars."""
    return make(data, name, f"{served.url}/train-{{00..{TARS - 1:02}}}.tar", f"{served.url}/val-00.tar", **keys)


def equal(one: Batch, two: Batch) -> bool:
    assert one.labels_BHW is not None and two.labels_BHW is not None
    same = torch.equal(one.image_BCHW, two.image_BCHW) and torch.equal(one.labels_BHW, two.labels_BHW)
    return same and one.keys == two.keys and torch.equal(one.seeds_B, two.seeds_B)


def test_one_group_of_all_tars_is_what_is_stored_bit_for_bit(served: Served, tars: Path, data: Path) -> None:
    """Off a server, off the disk, or stored and packed: pixels, label maps, order, crops, the split's hash."""
    stored = of_server(served, data, "stored", stream=False)
    away = of_server(served, data, group=TARS)
    local = make(data, "local", str(tars / "local"), group=TARS)
    assert stored.packed is not None and away.packed is None and local.packed is None
    assert stored.hash == away.hash == local.hash and len(stored) == IMAGES
    assert make(data, "grouped", str(tars / "local")).hash != stored.hash  # its order is another
    assert {path.name for path in away.folder.glob("*.tar")} == {"streamed-val-000000.tar"}
    assert make(data, "unlabelled", str(tars / "local"), classes=0).labels(0) is None
    one, *others = (TrainStream(dataset, None, BATCH, 3) for dataset in (stored, away, local))
    assert all(equal(one(k), other(k)) for other in others for k in range(2 * IMAGES // BATCH))


@pytest.mark.parametrize("world", [1, 2, 4])
@pytest.mark.parametrize("group", [1, 2, 4])
def test_every_image_once_an_epoch_whatever_the_ranks_and_the_groups(tars: Path, data: Path, world, group) -> None:
    dataset = make(data, "local", str(tars / "local"), group=group)
    steps = 2 * IMAGES // BATCH  # two epochs
    ranks = [TrainStream(dataset, None, BATCH, 0) for _ in range(world)]
    batches = [[ranks[rank](k, rank, world) for rank in range(world)] for k in range(steps)]
    keys = [key for parts in batches for part in parts for key in part.keys]
    assert sorted(keys[:IMAGES]) == sorted(keys[IMAGES:]) == sorted(dataset.keys) and keys[:IMAGES] != keys[IMAGES:]
    whole = TrainStream(dataset, None, BATCH, 0)
    assert keys == [key for k in range(steps) for key in whole(k).keys]
    for start in range(0, IMAGES, group * EACH):  # of the first epoch
        assert len({key.rsplit("-", 2)[0] for key in keys[start : start + group * EACH]}) <= group


@pytest.mark.parametrize("k", [0, 4, 8, 11])
def test_whoever_goes_on_at_k_fetches_what_is_near_k_alone(served: Served, data: Path, k: int) -> None:
    whole = TrainStream(of_server(served, data), None, BATCH, 0)
    batches = [whole(i) for i in range(k + 2)]
    shutil.rmtree(data / "progress")  # another machine: the dataset alone is there
    served.asked.clear()
    dataset = Dataset.open(data / "shards/streamed", "train")
    again = TrainStream(dataset, None, BATCH, 0)
    assert all(equal(again(i), batches[i]) for i in (k, k + 1))
    assert len(set(served.asked)) <= 3 * GROUP < TARS  # of two groups, where k is at the end of one, and the next
    assert all(served.times(name) == 1 for name in set(served.asked))


def bytes_of(kept: Path) -> int:
    """Of the copies that are there: those of a group that is done with may go meanwhile."""
    total = 0
    for path in kept.glob("*.tar"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def test_copies_are_bounded_and_the_images_the_same(served: Served, tars: Path, data: Path) -> None:
    size = max(path.stat().st_size for path in tars.glob("*.tar"))
    limit = (2 * GROUP + 1) * size
    dataset = of_server(served, data, cache_gb=limit / 1e9)
    stream, kept = TrainStream(dataset, None, BATCH, 0), data / "progress/tars/copies"
    keys = []
    for k in range(2 * IMAGES // BATCH):
        keys += stream(k).keys
        assert bytes_of(kept) <= limit
    assert sorted(keys[:IMAGES]) == sorted(keys[IMAGES:]) == sorted(dataset.keys)
    with pytest.raises(UserError, match=r"cache_gb = .* holds no two groups of 2 tars.*lower group"):
        of_server(served, data, cache_gb=limit / 2e9)


def test_faults_and_duplicates_are_told_and_kept_out(tars: Path, data: Path) -> None:
    write_tar(tars / "local/train-99.tar", 100, 1)  # is in val too
    with tarfile.open(tars / "local/train-98.tar", "w") as tar:
        for name in ("some/900.jpg", "some/901.cls"):
            header = tarfile.TarInfo(name)
            header.size = 4
            tar.addfile(header, io.BytesIO(b"none"))
    try:
        dataset = make(data, "d", str(tars / "local"), str(tars / "val-00.tar"), quarantine_limit=0.5)
    finally:
        for number in (98, 99):
            (tars / f"local/train-{number}.tar").unlink()
    assert len(dataset) == IMAGES and len(tables.read(dataset.folder / "duplicates")) == 1
    reasons = dict(tables.read(dataset.folder / "quarantine")[["name", "reason"]].to_numpy())
    assert "not an image" in reasons["train/train-98/some/900"] and "no image" in reasons["train/train-98/some/901"]


def test_the_manifest_tells_a_changed_tar(tmp_path: Path, data: Path) -> None:
    (tmp_path / "own").mkdir()
    seen = set()
    for first in (0, 10, 0):
        write_tar(tmp_path / "own/a.tar", first, 3)
        seen.add(manifest(params_of("tars", train=str(tmp_path / "own"))))
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "keys train, val and test are missing"),
        ({"train": "empty"}, "empty: no tars in there"),
        ({"train": "nowhere.tar"}, "nowhere.tar: no such tar"),
        ({"train": "words.tar"}, r"words.tar: no whole, uncompressed tar"),
        ({"train": "x.tar", "root": "y"}, "keys root and splits mean nothing there"),
        ({"train": "ftp9://host/a.tar"}, r"ftp9://host/a.tar: webdataset opens no such URLs"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys, told) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.tar").write_text("no tar")
    with pytest.raises(UserError, match=told):
        layout("tars").items(params_of("tars", **keys))
