"""Training batches from packed pixels, from tars on the disk and off a server, beside what others read by: PIL.

256-px JPEGs; all flip, and end as float batches in [-1, 1]. Over HTTP no copies are there before: every tar is fetched.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch
import webdataset
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from stages.images.build import build
from stages.images.dataset import Dataset
from stages.images.stream import TrainStream
from tests.bench.turns import race
from tests.images.conftest import params_of, silent
from tests.images.tars.server import serving

SIDE, IMAGES, BATCH, TARS = 256, 256, 16, 8
Read = Callable[[], object]


def jpeg(seed: int) -> bytes:
    """Smooth colours and grain: some 30 kB, as a photograph's."""
    rng, data = np.random.default_rng(seed), io.BytesIO()
    coarse = cv2.resize(rng.integers(0, 256, (17, 17, 3), dtype=np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 12, (SIDE, SIDE, 1))
    Image.fromarray(np.clip(coarse + grain, 0, 255).astype(np.uint8)).save(data, "JPEG", quality=90)
    return data.getvalue()


def sources(root: Path) -> None:
    """The same images as files and in tars."""
    (root / "files/train").mkdir(parents=True)
    (root / "tars").mkdir()
    with webdataset.ShardWriter(f"{root}/tars/t-%02d.tar", maxcount=IMAGES // TARS, verbose=0) as tars:
        for seed in range(IMAGES):
            data = jpeg(seed)
            (root / f"files/train/{seed:04}.jpg").write_bytes(data)
            tars.write({"__key__": f"{seed:04}", "jpg": data})


def ours(place: Path, name: str, **keys: object) -> Dataset:
    """A dataset's training split."""
    given = {"size": SIDE, "shares": {"val": 0, "test": 0}, "duplicates": {"near": None}, **keys}
    build(name, params_of("tars" if "train" in keys else "folder", **given), place / "made" / name, silent)
    return Dataset.open(place / "made" / name, "train")


def epoch(dataset: Dataset) -> None:
    """All batches of one."""
    stream = TrainStream(dataset, None, BATCH, 0)
    for k in range(IMAGES // BATCH):
        assert stream(k).image_BCHW.shape == (BATCH, 3, SIDE, SIDE)


def fresh_epoch(dataset: Dataset) -> None:
    """The same with no copies of tars there, by a dataset just opened."""
    shutil.rmtree(Path(os.environ["PLURIFILL_DATA"]) / "progress/tars/copies", ignore_errors=True)
    epoch(Dataset.open(dataset.folder, "train"))


def transform() -> v2.Compose:
    """As peers do it, an image at a time."""
    scaled = v2.ToDtype(torch.float32, scale=True)
    return v2.Compose([v2.RandomHorizontalFlip(), v2.ToImage(), scaled, v2.Normalize([0.5] * 3, [0.5] * 3)])


def folder_epoch(root: Path) -> None:
    """ImageFolder, PIL."""
    for image_BCHW, _ in DataLoader(ImageFolder(str(root / "files"), transform()), BATCH, shuffle=True):
        assert image_BCHW.shape == (BATCH, 3, SIDE, SIDE)


def tars_epoch(urls: list[str]) -> None:
    """webdataset as its documentation has it, PIL."""
    tars = webdataset.WebDataset(urls, shardshuffle=TARS).shuffle(IMAGES // TARS).decode("pil").to_tuple("jpg")
    for (image_BCHW,) in tars.map_tuple(transform()).batched(BATCH):
        assert image_BCHW.shape == (BATCH, 3, SIDE, SIDE)


@contextmanager
def places() -> Iterator[Path]:
    """A folder of sources, where artefacts go too."""
    with tempfile.TemporaryDirectory() as root:
        before, os.environ["PLURIFILL_DATA"] = os.environ.get("PLURIFILL_DATA"), root
        sources(Path(root))
        yield Path(root)
        os.environ.pop("PLURIFILL_DATA") if before is None else os.environ.update(PLURIFILL_DATA=before)


def rows(rounds: int = 3) -> list[tuple[str, float, float]]:
    """(name with both rates, the peer's seconds, ours), in turn, the median of rounds."""
    with places() as root, serving(root / "tars") as served:
        urls = [f"{served.url}/{path.name}" for path in sorted((root / "tars").glob("*.tar"))]
        packed = ours(root, "packed", root=str(root / "files"))
        stored = ours(root, "stored", root=str(root / "files"), format="jpg", packed_mb=0)
        local = ours(root, "local", train=str(root / "tars"))
        away = ours(root, "away", train="::".join(urls), group=2)
        folder, tars = (lambda: folder_epoch(root)), (lambda: tars_epoch(sorted(map(str, (root / "tars").glob("*")))))
        races: list[tuple[str, Read, Read]] = [
            ("ImageFolder, packed pixels", folder, lambda: epoch(packed)),
            ("ImageFolder, shards of JPEGs", folder, lambda: epoch(stored)),
            ("webdataset on the disk, shards of JPEGs", tars, lambda: epoch(stored)),
            ("webdataset on the disk, others' tars there", tars, lambda: epoch(local)),
            ("webdataset over HTTP, others' tars over HTTP", lambda: tars_epoch(urls), lambda: fresh_epoch(away)),
        ]
        return [_row(what, *race(peer, own, rounds)) for what, peer, own in races]


def _row(what: str, peer: float, own: float) -> tuple[str, float, float]:
    return f"images/s: {what}: {IMAGES / peer:.0f}, {IMAGES / own:.0f}", peer, own
