"""A frozen set gives each key its own hole, whatever the other keys are, and notices damage."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.contract import UserError
from stages.images.files import write_png
from stages.images.masks import MaskSet, Source, freeze
from stages.project import tables
from tests.images.conftest import params_of

LARGE = {"generator": "free_form", "size": "large"}


def test_a_hole_hangs_on_seed_and_key_alone(tmp_path: Path) -> None:
    freeze(LARGE, ["a", "b", "c"], 30, tmp_path, "all")
    freeze(LARGE, ["c", "a"], 30, tmp_path, "some")
    freeze(LARGE, ["a"], 30, tmp_path, "other", seed=1)
    every, some, other = (MaskSet.open(tmp_path, name) for name in ("all", "some", "other"))
    assert np.array_equal(every.hole("a"), some.hole("a")) and np.array_equal(every.hole("c"), some.hole("c"))
    assert not np.array_equal(every.hole("a"), every.hole("b"))
    assert not np.array_equal(every.hole("a"), other.hole("a"))
    assert every.hole("a").shape == (30, 30)


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        freeze(LARGE, ["a", "b"], 64, tmp_path / name, "large")
    for ending in ("npz", "json"):
        one, two = ((tmp_path / name / f"large.{ending}").read_bytes() for name in ("one", "two"))
        assert one == two


def test_the_hash_covers_generator_keys_and_bits(tmp_path: Path) -> None:
    for name, (block, keys, size) in {
        "plain": (LARGE, ["a", "b"], 16),
        "keys": (LARGE, ["a", "x"], 16),
        "size": (LARGE, ["a", "b"], 24),
        "generator": ({"generator": "box", "side": 0.5}, ["a", "b"], 16),
    }.items():
        freeze(block, keys, size, tmp_path, name)
    hashes = {MaskSet.open(tmp_path, name).hash for name in ("plain", "keys", "size", "generator")}
    assert len(hashes) == 4
    card = json.loads((tmp_path / "plain.json").read_text())
    (tmp_path / "plain.json").write_text(json.dumps({**card, "generator": {"generator": "box", "side": 0.4}}))
    with pytest.raises(UserError, match="does not match"):
        MaskSet.open(tmp_path, "plain")


def test_a_set_of_an_earlier_version_opens_with_its_hash(tmp_path: Path) -> None:
    freeze(LARGE, ["a", "b"], 16, tmp_path, "large")
    now, card = MaskSet.open(tmp_path, "large"), json.loads((tmp_path / "large.json").read_text())
    del card["generator"]
    (tmp_path / "large.json").write_text(json.dumps({**card, "law": {"law": "free_form", "size": "large"}}))
    earlier = MaskSet.open(tmp_path, "large")
    assert (earlier.hash, earlier.generator) == (now.hash, LARGE)
    assert np.array_equal(earlier.hole("b"), now.hole("b"))


def test_files_are_frozen_by_name_with_warnings(tmp_path: Path) -> None:
    dot_HW = np.zeros((20, 20), dtype=np.uint8)
    dot_HW[0, 0] = 255
    write_png(tmp_path / "f/a.png", dot_HW)
    write_png(tmp_path / "f/b.png", 255 - dot_HW)
    index = {"key": ["a", "b", "b"], "name": ["a.jpg", "b.jpg", "a.jpg"], "split": ["test", "test", "train"]}
    tables.write(pd.DataFrame(index), tmp_path / "shards/index")
    block = {"generator": "files", "folder": str(tmp_path / "f"), "hole": "white"}
    source = Source(tmp_path / "shards", params_of("folder", size=20), "test")
    warnings = freeze(block, ["b", "a"], 20, tmp_path, "files", source=source)
    assert len(warnings) == 2 and "b:" in warnings[0] and "almost everything" in warnings[0]
    assert np.array_equal(MaskSet.open(tmp_path, "files").hole("a"), dot_HW > 0)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    freeze(LARGE, ["a"], 16, tmp_path, "large")
    with pytest.raises(UserError, match="there: large"):
        MaskSet.open(tmp_path, "lrage")
    with pytest.raises(UserError, match="no mask for image z"):
        MaskSet.open(tmp_path, "large").hole("z")
