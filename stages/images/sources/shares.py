"""Val and test where a source brings none: shares of its training images."""

from collections.abc import Callable
from dataclasses import replace

from stages.images.dataset_params import Shares
from stages.images.sources.item import Item
from stages.project.seeds import number

Take = Callable[[set[str], float, str], set[str]]  # of these sources, such a share, for that split


def fill_splits(items: list[Item], shares: Shares, seed: int) -> list[Item]:
    """Val and test, where there is none, taken from train by a hash of (seed, source): the same on every machine.

    One source is left in train, however few there are and however large the shares.
    """
    return _filled(items, shares, lambda sources, share, split: _hashed(sources, share, f"{seed}/{split}"))


def fill_from_the_end(items: list[Item], shares: Shares) -> list[Item]:
    """The same with the last sources by name: in a video neighbours are near-duplicates, and few are then parted."""
    return _filled(items, shares, lambda sources, share, split: _last(sources, share))


def _filled(items: list[Item], shares: Shares, take: Take) -> list[Item]:
    for split, share in (("test", shares.test), ("val", shares.val)):
        if any(item.split == split for item in items):
            continue
        taken = take({item.source for item in items if item.split == "train"}, share, split)
        items = [
            replace(item, split=split) if item.split == "train" and item.source in taken else item for item in items
        ]
    return items


def _hashed(sources: set[str], share: float, salt: str) -> set[str]:
    if not sources or not share:
        return set()
    hashes = {source: number(f"{salt}/{source}") for source in sorted(sources)}
    *others, _ = sorted(hashes, key=hashes.__getitem__)
    return {source for source in others if hashes[source] / 2**64 < share} | set(others[:1])  # of few there is one too


def _last(sources: set[str], share: float) -> set[str]:
    if not sources or not share:
        return set()
    count = max(1, round(share * len(sources)))  # of few there is one too
    return set(sorted(sources)[1:][-count:])
