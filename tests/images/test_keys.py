"""A key is the name's own unless several names would share it; that is what counting all names' keys finds."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stages.contract import UserError
from stages.images.keys import Keys
from stages.images.names import key_of
from stages.images.sources.item import Item

NAMES = some.lists(some.text("aA.-é/", min_size=1, max_size=3).map("x{}.png".format), min_size=1, unique=True)


def items(names: list[str]) -> list[Item]:
    return [Item(name, "train", Path("root")) for name in names]


def by_definition(names: list[str]) -> dict[str, str]:
    plain = {name: key_of(Path(name)) for name in names}
    counts = Counter(plain.values())
    digests = {name: hashlib.sha256(name.encode()).hexdigest()[:8] for name in names}
    return {name: key if counts[key] == 1 else f"{key}-{digests[name]}" for name, key in plain.items()}


@given(NAMES)
def test_keys_are_told_apart_where_names_share_one(names: list[str]) -> None:
    keys = Keys.of(items(names))
    assert {name: keys.of_name(name) for name in names} == by_definition(names)


@given(NAMES)
def test_keys_do_not_hang_on_digests_that_happen_to_be_the_same(names: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stages.images.keys.hash", len, raising=False)
        keys = Keys.of(items(names))
    assert {name: keys.of_name(name) for name in names} == by_definition(names)


@given(NAMES, some.data())
def test_a_name_that_two_images_have_is_refused(names: list[str], data: some.DataObject) -> None:
    twice = data.draw(some.sampled_from(names))
    with pytest.raises(UserError, match="are both called") as told:
        Keys.of(items([*names, twice]))
    assert str(told.value).endswith(f"are both called {twice}; rename one")
