"""Val and test where a source brings none: shares of its training images."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from stages.images.dataset_params import Shares
from stages.images.sources.item import Item
from stages.project.seeds import number

Take = Callable[[Iterable[str], float, str], set[str]]  # of these sources, such a share, for that split


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
        taken = take((item.source for item in items if item.split == "train"), share, split)
        items = [
            replace(item, split=split) if item.split == "train" and item.source in taken else item for item in items
        ]
    return items


def _hashed(sources: Iterable[str], share: float, salt: str) -> set[str]:
    """Those of low hashes; at least the one of the lowest, and never the one of the highest."""
    taken: set[str] = set()
    least: tuple[int, str] | None = None
    most: tuple[int, str] = (-1, "")
    for ranked in ((number(f"{salt}/{source}"), source) for source in sources):  # of millions, what is taken is kept
        least, most = min(least or ranked, ranked), max(most, ranked)
        if ranked[0] / 2**64 < share:
            taken.add(ranked[1])
    return (taken | {least[1]}) - {most[1]} if least and share else set()


def _last(sources: Iterable[str], share: float) -> set[str]:
    names = sorted(set(sources))
    count = max(1, round(share * len(names)))  # of few there is one too
    return set(names[1:][-count:]) if share else set()
