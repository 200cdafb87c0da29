"""Batch k is a pure function of (seed, k): not of ranks, of the order of calls, or of what was drawn before."""

from pathlib import Path

import pytest
import torch

from stages.contract import Batch, UserError
from stages.images.dataset import Dataset
from stages.images.masks import generator_of
from stages.images.stream import FixedBatches, TrainStream
from stages.project import seeds
from tests.images.conftest import Make, Paint

LARGE = generator_of({"generator": "free_form", "size": "large"})


@pytest.fixture
def folder(tmp_path: Path, paint: Paint, make: Make) -> Path:
    for seed in range(13):
        paint(tmp_path / f"src/{'val' if seed > 9 else 'train'}/{seed}.png", seed)
    return make(
        "folder", root=str(tmp_path / "src"), resize={"side": 20}, shares={"test": 0}, duplicates={"near": None}
    )[1]


def equal(one: Batch, two: Batch) -> bool:
    same = torch.equal(one.image_BCHW, two.image_BCHW) and torch.equal(one.known_B1HW, two.known_B1HW)
    return same and one.keys == two.keys and torch.equal(one.seeds_B, two.seeds_B)


def test_calls_in_any_order_give_the_same_batch(folder: Path) -> None:
    dataset = Dataset.open(folder, "train")
    one, two = TrainStream(dataset, LARGE, 4, 3), TrainStream(dataset, LARGE, 4, 3)
    forward = [one(k) for k in range(6)]
    backward = [two(k) for k in reversed(range(6))][::-1]
    assert all(equal(a, b) for a, b in zip(forward, backward, strict=True))
    assert not equal(one(0), TrainStream(dataset, LARGE, 4, 4)(0))


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_in_order_are_the_batch(folder: Path, world: int) -> None:
    stream = TrainStream(Dataset.open(folder, "train"), LARGE, 8, 0)
    whole, slices = stream(3), [stream(3, rank, world) for rank in range(world)]
    assert torch.equal(whole.image_BCHW, torch.cat([part.image_BCHW for part in slices]))
    assert torch.equal(whole.known_B1HW, torch.cat([part.known_B1HW for part in slices]))
    assert torch.equal(whole.seeds_B, torch.cat([part.seeds_B for part in slices]))
    with pytest.raises(UserError, match="multiple of the 3 ranks"):
        stream(0, 0, 3)


def test_every_image_once_an_epoch_in_another_order(folder: Path) -> None:
    dataset = Dataset.open(folder, "train")
    stream = TrainStream(dataset, None, 5, 0)
    first, second = ([key for k in ks for key in stream(k).keys] for ks in ((0, 1), (2, 3)))
    assert sorted(first) == sorted(second) == sorted(dataset.keys) and first != second


def test_a_stored_splits_order_is_the_plain_permutation(folder: Path) -> None:
    """Trainings of the same fingerprint have met it in this order."""
    dataset = Dataset.open(folder, "train")
    order = [dataset.keys[i] for i in seeds.generator(7, "epoch", 0).permutation(len(dataset))]
    assert [key for k in (0, 1) for key in TrainStream(dataset, None, 5, 7)(k).keys] == order


def test_the_mask_generator_changes_the_holes_alone(folder: Path) -> None:
    dataset = Dataset.open(folder, "train")
    masked, whole = TrainStream(dataset, LARGE, 4, 0)(2), TrainStream(dataset, None, 4, 0)(2)
    assert torch.equal(masked.image_BCHW, whole.image_BCHW) and torch.equal(masked.seeds_B, whole.seeds_B)
    assert (whole.known_B1HW == 1).all() and not torch.equal(masked.known_B1HW, whole.known_B1HW)


def test_crops_move_and_flip(folder: Path) -> None:
    dataset = Dataset.open(folder, "train")
    stream = TrainStream(dataset, None, 10, 0)
    windows: dict[str, set[bytes]] = {key: set() for key in dataset.keys}
    for k in range(8):
        batch = stream(k)
        for key, image in zip(batch.keys, batch.image_BCHW, strict=True):
            windows[key].add(image.numpy().tobytes())
    assert all(len(seen) > 4 for seen in windows.values())


def test_fixed_batches_hang_on_seed_and_key(folder: Path) -> None:
    dataset = Dataset.open(folder, "val")
    whole = FixedBatches(dataset, LARGE, 2, 100, 0)
    batches = list(whole)
    assert [len(batch.keys) for batch in batches] == [2, 1] and whole.images == 3
    alone = list(FixedBatches(dataset, LARGE, 1, 2, 0))
    assert torch.equal(alone[1].known_B1HW, batches[0].known_B1HW[1:])
    assert torch.equal(alone[1].image_BCHW, batches[0].image_BCHW[1:])
    assert torch.equal(alone[1].seeds_B, batches[0].seeds_B[1:])
