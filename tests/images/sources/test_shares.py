"""Val and test are taken from train, and never all of it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from stages.images.dataset_params import Shares
from stages.images.sources.item import Item
from stages.images.sources.shares import fill_from_the_end, fill_splits
from stages.project.seeds import number

SHARE = some.floats(0, 1, exclude_max=True)


@given(some.integers(1, 9), SHARE, SHARE, some.integers(0, 99))
def test_train_is_never_emptied(count: int, val: float, test: float, seed: int) -> None:
    items = [Item(f"{k}.png", "train", Path(), f"{k}") for k in range(count)]
    filled = fill_splits(items, Shares(val=val, test=test), seed)
    assert [item.name for item in filled] == [item.name for item in items]
    assert "train" in {item.split for item in filled}


@given(some.integers(3, 9), some.integers(0, 99))
def test_of_few_images_there_is_one_in_each_split(count: int, seed: int) -> None:
    items = [Item(f"{k}.png", "train", Path(), f"{k}") for k in range(count)]
    filled = fill_splits(items, Shares(val=1e-9, test=1e-9), seed)
    assert sorted(item.split for item in filled) == ["test", *["train"] * (count - 2), "val"]


@given(some.lists(some.integers(0, 20), max_size=30), SHARE, some.integers(0, 99))
def test_a_share_is_that_of_low_hashes_of_sources(sources: list[int], share: float, seed: int) -> None:
    """Sorted by their hashes the last is never taken, and the first always."""
    items = [Item(f"{k}.png", "train", Path(), f"{source}") for k, source in enumerate(sources)]
    in_order = sorted({item.source for item in items}, key=lambda source: number(f"{seed}/test/{source}"))
    low = [source for source in in_order if number(f"{seed}/test/{source}") < share * 2**64]
    taken = {*in_order[:1], *low} - set(in_order[-1:]) if share else set()
    filled = fill_splits(items, Shares(val=0, test=share), seed)
    assert [item.split == "test" for item in filled] == [item.source in taken for item in items]


@given(some.integers(1, 30), SHARE, SHARE)
def test_from_the_end_the_splits_follow_each_other_by_name(count: int, val: float, test: float) -> None:
    items = [Item(f"{k:02d}.png", "train", Path(), f"{k:02d}") for k in range(count)]
    filled = fill_from_the_end(items[::-1], Shares(val=val, test=test))
    in_order = [item.split for item in sorted(filled, key=lambda item: item.name)]
    assert in_order == sorted(in_order, key=["train", "val", "test"].index) and in_order[0] == "train"
    taken = min(max(1, round(test * count)), count - 1) if test else 0
    assert in_order.count("test") == taken
    assert in_order.count("val") == (min(max(1, round(val * (count - taken))), count - taken - 1) if val else 0)
