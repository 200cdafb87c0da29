"""One rule of listing: what is in a folder to be found is found, linked or not, and nothing without end is entered."""

import os
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.images.listing import ENDINGS, image_files, text_of


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(root: Path, **options: bool) -> list[str]:
    return [str(name) for name in image_files(root, **options)]


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_an_ending_counts_in_any_case(tmp_path: Path, ending: str) -> None:
    touch(tmp_path / f"a{ending}", tmp_path / f"sub/b{ending.upper()}", tmp_path / f"c{ending}.txt")
    assert names(tmp_path) == [f"a{ending}", f"sub/b{ending.upper()}"]


def test_names_are_in_the_order_of_their_paths(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a-b/1.png", "a/2.png", "a.png", "a/b/3.png", "a/b-c.png", "B.png", "é.png")))
    assert names(tmp_path) == [str(path) for path in sorted(map(Path, names(tmp_path)))]
    assert names(tmp_path).index("a/2.png") < names(tmp_path).index("a-b/1.png")


def test_pictures_that_cannot_be_read_are_listed_to_be_told() -> None:
    assert {".png", ".jpg", ".gif", ".jfif", ".heic", ".ppm"} <= ENDINGS


def test_hidden_ones_and_folders_are_no_pictures(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "._a.jpg", tmp_path / ".hidden/b.jpg", tmp_path / "b.png/c.png")
    touch(tmp_path / "notes.txt")
    (tmp_path / "empty.png").mkdir()
    assert names(tmp_path) == ["a.jpg", "b.png/c.png"] and names(tmp_path, deep=False) == ["a.jpg"]


def test_linked_files_and_folders_are_as_if_they_lay_there(tmp_path: Path) -> None:
    touch(tmp_path / "disk/far/1.png", tmp_path / "disk/2.png", tmp_path / "root/3.png")
    (tmp_path / "root/val").symlink_to(tmp_path / "disk", target_is_directory=True)
    (tmp_path / "root/4.png").symlink_to(tmp_path / "disk/2.png")
    (tmp_path / "link").symlink_to("root")
    there = ["3.png", "4.png", "val/2.png", "val/far/1.png"]
    assert names(tmp_path / "root") == names(tmp_path / "link") == there
    (tmp_path / "root/train").symlink_to(tmp_path / "disk")
    assert names(tmp_path / "root") == [*there[:2], "train/2.png", "train/far/1.png", *there[2:]]


def test_links_without_end_are_not_entered(tmp_path: Path) -> None:
    touch(tmp_path / "root/a/1.png", tmp_path / "root/b/2.png", tmp_path / "beside/3.png")
    for link, target in {"self": ".", "a/up": "..", "a/b": "../b", "b/a": "../a", "out": "../.."}.items():
        (tmp_path / "root" / link).symlink_to(target)
    (tmp_path / "beside/back").symlink_to(tmp_path / "root")
    (tmp_path / "root/c").symlink_to(tmp_path / "beside")  # and from there to all that holds it
    (tmp_path / "beside/above").symlink_to("..")
    assert names(tmp_path / "root") == ["a/1.png", "a/b/2.png", "b/2.png", "b/a/1.png", "c/3.png"]


def test_a_link_to_nowhere_is_listed_and_what_would_block_is_not(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    for link, target in {"round.png": "round.png", "round": "again", "again": "round"}.items():
        (tmp_path / link).symlink_to(target)
    os.mkfifo(tmp_path / "pipe.png")
    assert names(tmp_path) == ["gone.png", "round.png"]


def test_what_cannot_be_listed_is_one_line(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png: cannot be listed .*make it readable"):
        image_files(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"a b.png", "a b.png"),
        ("é写真.png".encode(), "é写真.png"),
        (b"caf\xe9.png", r"caf\xe9.png"),
        (b"\x8e\xca.png", r"\x8e\xca.png"),
    ],
)
def test_any_name_is_text(name: bytes, text: str) -> None:
    assert text_of(os.fsdecode(name)) == text == text_of(text)
    text.encode()
