"""Shares of a test set's pieces: together the whole, each piece once, and the very samples of one worker."""

from pathlib import Path

import pytest
import torch

from stages.contract import UserError
from stages.project.entries import Entry
from stages.sampling import sampler, shares, store, testsets
from stages.sampling.sampler import Sampler, Work
from stages.sampling.shares import Share
from stages.sampling.store import SampleStore
from stages.sampling.testsets import TestSetParams, open_testset
from tests.sampling import toy


@pytest.fixture(scope="module")
def testset(tmp_path_factory) -> testsets.TestSet:
    """12 images x 16 samples: three pieces."""
    project = toy.make(tmp_path_factory.mktemp("project"))
    with toy.inside(project):
        return open_testset("noise", TestSetParams(dataset="toy", masks="centre", samples=16))


def work(testset: testsets.TestSet, place: Path) -> tuple[Work, toy.Noise]:
    noise = toy.Noise()
    return Work(testset, Entry("noise"), Sampler(lambda: noise, torch.device("cpu")), place), noise


def content(place: Path) -> dict[str, bytes]:
    """The samples, and their side pictures."""
    found = [*place.glob("*.tar"), *place.rglob("*.png")]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(found)}


@pytest.mark.parametrize("text", ["0/2", "3/2", "x", "", "1/0", "1", "1/2/3", "-1/2", "1/2 ", "01/2", "1/1234567"])
def test_what_is_no_part_is_one_line(text):
    with pytest.raises(UserError, match=f"^--part {text}: write I/N, the I-th of N parts, with I from 1 to N$"):
        Share.parse(text)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_every_piece_is_of_one_share(of):
    every = [Share.parse(f"{number}/{of}") for number in range(1, of + 1)]
    assert all(sum(share.has(piece) for share in every) == 1 for piece in range(20))


@pytest.mark.parametrize("of", [2, 3])
def test_shares_in_any_order_are_one_workers_samples_and_the_whole_draws_nothing(testset, tmp_path, of):
    sampler.fill(work(testset, tmp_path / "one")[0], {"entry": "noise"})
    for number in range(of, 0, -1):
        shares.fill(work(testset, tmp_path / "shared")[0], Share(number, of))
    with pytest.raises(UserError, match="no finished samples"):
        SampleStore.open(tmp_path / "shared")
    whole, noise = work(testset, tmp_path / "shared")
    sampler.fill(whole, {"entry": "noise"})
    assert noise.calls == 0 and content(tmp_path / "shared") == content(tmp_path / "one")
    assert SampleStore.open(tmp_path / "shared").digest == SampleStore.open(tmp_path / "one").digest


def test_a_share_makes_its_own_pieces_alone_and_those_that_are_whole_no_second_time(testset, tmp_path):
    one, noise = work(testset, tmp_path)
    shares.fill(one, Share(1, 2))
    assert noise.calls == 2 and not store.tar_path(tmp_path, 1).exists()
    store.tar_path(tmp_path, 2).write_bytes(b"damaged")
    shares.fill(one, Share(1, 2))
    assert noise.calls == 3
    shares.fill(one, Share(1, 1))
    assert noise.calls == 4 and not list(tmp_path.glob(".*"))
