"""Copies of a server's tars: whole, or one line that names the URL and why."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.registry import _registry as imported

from stages.contract import UserError
from stages.images.stored import ByteRange
from stages.images.tars.contents import contents_of
from stages.images.tars.copies import TRIES, Copies, Tar
from tests.faults.harm import truncate
from tests.images.tars.server import Served, serving
from tests.images.tars.test_streamed import write_tar


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "there").mkdir()
    for name in "abc":
        write_tar(tmp_path / f"there/{name}.tar", ord(name), 6, "png")
    with serving(tmp_path / "there") as found:
        yield found


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path / "here/copies", 1e9, pause_s=0.01, stall_s=1)


def indexed(served: Served, tmp_path: Path) -> Tar:
    """a.tar as it was when it was indexed, by another machine."""
    return contents_of(f"{served.url}/a.tar", Copies(tmp_path / "elsewhere/copies", 1e9), "labels.png")[0]


def content(copies: Copies, tar: Tar) -> bytes:
    with copies.opened(tar) as file:
        return file.read()


def kept(copies: Copies) -> list[Path]:
    return sorted(copies.folder.glob("*"))


@pytest.mark.parametrize("dying", [1, TRIES - 1])
def test_a_server_that_dies_in_the_middle_is_asked_again(served: Served, copies: Copies, tmp_path, dying: int) -> None:
    tar = indexed(served, tmp_path)
    served.asked.clear()
    served.dying = dying
    assert content(copies, tar) == (served.folder / "a.tar").read_bytes() and served.times("a.tar") == dying + 1


def test_one_that_goes_on_dying_is_told_and_nothing_is_kept(served: Served, copies: Copies, tmp_path: Path) -> None:
    tar = indexed(served, tmp_path)
    served.dying = TRIES
    with pytest.raises(UserError, match=r"http://.*/a\.tar: the server ended in the middle; tried 5 times; .*to go on"):
        content(copies, tar)
    assert kept(copies) == []
    assert content(copies, tar) == (served.folder / "a.tar").read_bytes()


def test_a_slow_server_is_waited_for_and_a_silent_one_is_not(served: Served, copies: Copies, tmp_path: Path) -> None:
    tar = indexed(served, tmp_path)
    served.pause_s = 0.05
    assert content(copies, tar) == (served.folder / "a.tar").read_bytes()
    served.pause_s = 30
    with pytest.raises(UserError, match=r"/b\.tar: nothing came for too long; tried 1 times"):
        content(replace(copies, tries=1), Tar(f"{served.url}/b.tar"))


def test_what_is_not_there_is_told(served: Served, copies: Copies) -> None:
    with pytest.raises(UserError, match=r"/none\.tar: the server refuses it; is there such a file\?"):
        content(copies, Tar(f"{served.url}/none.tar"))
    with pytest.raises(UserError, match=r"pipe:exit 3: exit code 3; tried"):
        content(copies, Tar("pipe:exit 3"))


def test_a_bucket_without_its_library_is_told(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(imported, "s3", raising=False)  # where another test's import of it is kept
    with pytest.raises(UserError, match=r"^s3://b/a\.tar: s3fs is not installed here; install plurifill\[s3\]$"):
        content(copies, Tar("s3://b/a.tar"))


def test_a_command_may_print_the_tar(served: Served, copies: Copies) -> None:
    """As those of object stores do."""
    url = f"pipe:cat {served.folder}/a.tar"
    tar, samples = contents_of(url, copies, None)
    assert content(copies, tar) == (served.folder / "a.tar").read_bytes() and len(samples) == 6 and served.asked == []


def test_a_tar_that_came_short_or_changed_is_no_copy(served: Served, copies: Copies, tmp_path: Path) -> None:
    tar, whole = indexed(served, tmp_path), (served.folder / "a.tar").read_bytes()
    truncate(served.folder / "a.tar", random.Random(0))
    with pytest.raises(UserError, match=rf"/a\.tar: \d+ of its {tar.size} bytes came"):
        content(copies, tar)
    write_tar(served.folder / "a.tar", 50, 7, "png")
    with pytest.raises(UserError, match=r"/a\.tar: it has changed since it was indexed; .*plurifill shard"):
        content(copies, tar)
    assert kept(copies) == []
    (served.folder / "a.tar").write_bytes(whole)
    assert content(copies, tar) == whole


@pytest.mark.parametrize("seed", range(6))
def test_a_truncated_tar_is_not_indexed(served: Served, copies: Copies, seed: int) -> None:
    whole = (served.folder / "a.tar").read_bytes()
    truncate(served.folder / "a.tar", random.Random(seed))
    url = f"{served.url}/a.tar"
    for place, told in ((url, url), (str(served.folder / "a.tar"), "a.tar")):
        with pytest.raises(UserError, match=rf"{told}: no whole, uncompressed tar"):
            contents_of(place, copies, "labels.png")
    assert kept(copies) == []
    (served.folder / "a.tar").write_bytes(whole)
    assert len(contents_of(url, copies, "labels.png")[1]) == 6


def test_threads_fetch_a_tar_once_and_bytes_lie_where_the_list_says(served: Served, copies: Copies) -> None:
    url, read = f"{served.url}/a.tar", dict[int, bytes]()
    tar, samples = contents_of(url, Copies(copies.folder.parent / "other/copies", 1e9), "labels.png")
    served.asked.clear()

    def fetch(number: int) -> None:
        read[number] = copies.read(tar, samples[number].image)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served.times("a.tar") == 1
    assert all(read[number].startswith(b"\x89PNG") and read[number].endswith(b"IEND\xaeB`\x82") for number in range(6))
    assert copies.read(tar, ByteRange(url, 0, 512))[:8] == b"some/097"


def test_the_least_recently_read_goes_first(served: Served, copies: Copies, tmp_path: Path) -> None:
    tars = {name: contents_of(f"{served.url}/{name}.tar", copies, "")[0] for name in "abc"}
    few = Copies(tmp_path / "few/copies", 2 * max(tar.size for tar in tars.values()))
    content(few, tars["a"])
    (first,) = kept(few)
    content(few, tars["b"])
    (second,) = set(kept(few)) - {first}
    while first.stat().st_ctime_ns <= second.stat().st_ctime_ns:  # a file system's clock has steps
        content(few, tars["a"])
    content(few, tars["c"])  # b goes
    served.asked.clear()
    content(few, tars["a"])
    assert served.asked == []
    content(few, tars["b"])
    assert served.asked == ["b.tar"]
