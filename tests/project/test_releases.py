"""A release is whole, to its last picture, or the file that is not is named."""

import pytest
import torch

from stages.contract import UserError
from stages.images.files import write_png
from stages.project import releases
from stages.project.files import write_text
from tests.faults.harm import flip


@pytest.fixture
def folder(tmp_path):
    """A release of one tensor, with a picture."""
    write_png(tmp_path / "drawn.png", torch.zeros(2, 2, dtype=torch.uint8).numpy())
    config = {"params": {}, "spec": {"size": 2, "classes": 0}}
    curves = lambda stem: write_text(stem.with_suffix(".csv"), "step")  # noqa: E731
    release = releases.Release({"w": torch.ones(3)}, config, {"steps": 1}, "card", curves, [tmp_path / "drawn.png"])
    releases.publish(release, tmp_path / "m" / "part")
    return tmp_path / "m" / "part"


FILES = ["model.safetensors", "config.json", "metrics.json", "card.md", "curves.csv", "pictures/drawn.png"]


def test_a_release_as_it_was_published_is_whole(folder):
    releases.check(folder)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=rf"{name}.*; make it by `dvc repro m@part`"):
        releases.check(folder)


@pytest.mark.parametrize("name", [name for name in FILES if name != "config.json"])
def test_a_file_with_another_bit_is_named(folder, name, draw):
    flip(folder / name, draw)
    with pytest.raises(UserError, match=rf"{name}: damaged.*; make it by `dvc repro m@part`"):
        releases.check(folder)


def test_a_release_of_an_earlier_version_is_held_against_its_weights_alone(folder):
    config = releases.read_config(folder)
    del config["files"]
    releases.write_json(folder / "config.json", config)
    (folder / "card.md").unlink()
    releases.check(folder)
