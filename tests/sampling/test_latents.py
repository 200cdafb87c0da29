"""What was drawn before pixels: one digest whatever the batches, another where a code differs, none of nothing."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.contract import Completions, Inpainter
from stages.project import tables
from stages.project.entries import Entry
from stages.sampling import latents, sampler, store, testsets
from stages.sampling.sampler import Sampler, Work, fill
from stages.sampling.store import SampleStore
from stages.sampling.testsets import TestSetParams, open_testset
from tests.sampling import toy

TOLD = {"entry": "dsi", "fingerprint": "f"}


@pytest.fixture(scope="module")
def testset(tmp_path_factory: pytest.TempPathFactory) -> testsets.TestSet:
    """12 images x 8 samples: two pieces."""
    with toy.inside(toy.make(tmp_path_factory.mktemp("project"))):
        return open_testset("noise", TestSetParams(dataset="toy", masks="centre", samples=8))


def work(testset: testsets.TestSet, place: Path, inpainter: Inpainter, batch: int = 0) -> Work:
    return Work(testset, Entry("dsi"), Sampler(lambda: inpainter, torch.device("cpu")), place, batch)


def drawn(testset: testsets.TestSet, place: Path, inpainter: Inpainter, batch: int = 0) -> dict[str, str]:
    """The digests that the finished samples tell."""
    fill(work(testset, place, inpainter, batch), TOLD)
    return SampleStore.open(place).description["latents"]


@pytest.fixture(scope="module")
def whole(testset: testsets.TestSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of an undisturbed run."""
    return drawn(testset, tmp_path_factory.mktemp("whole"), toy.Structured())


@pytest.mark.parametrize("batch", [1, 3, 5])
def test_batches_do_not_change_the_digest(testset, whole, tmp_path, batch):
    assert drawn(testset, tmp_path, toy.Structured(), batch) == whole and set(whole) == {"structures"}


def test_it_is_the_digest_of_all_completions_in_order(testset, whole):
    seeds = torch.tensor([testset.seeds(key) for key in testset.keys])
    codes_BKHW = torch.stack([toy.codes(seed) for seed in seeds.flatten().tolist()]).unflatten(0, (12, 8))
    raw_BKCHW = torch.zeros(12, 8, 3, 1, 1)
    assert latents.whole([latents.digests(Completions(raw_BKCHW, latents={"structures": codes_BKHW}))]) == whole
    turned = Completions(raw_BKCHW, latents={"structures": codes_BKHW.flip(1)})
    assert latents.whole([latents.digests(turned)]) != whole


def test_a_stopped_run_that_goes_on_ends_with_the_same_digest(testset, whole, tmp_path):
    sampler._make(work(testset, tmp_path, toy.Structured(), batch=3), 0, testset.chosen[:8])
    rest = toy.Structured()
    assert drawn(testset, tmp_path, rest) == whole and rest.calls == 1
    store.tar_path(tmp_path, 0).write_bytes(b"damaged")
    assert drawn(testset, tmp_path, toy.Structured()) == whole


@pytest.mark.parametrize(("image", "k"), [(0, 0), (7, 7), (8, 0), (11, 3)])
def test_one_other_code_of_one_completion_is_another_digest(testset, whole, tmp_path, image, k):
    odd = testset.seeds(testset.keys[image])[k]
    assert drawn(testset, tmp_path, toy.Structured(odd=odd)) != whole


def of_one(codes: torch.Tensor) -> str:
    """The digest of one completion's codes."""
    found = latents.digests(Completions(torch.zeros(1, 1, 3, 1, 1), latents={"codes": codes[None, None]}))
    return found["codes"][0]


@given(st.lists(st.integers(0, 100), min_size=6, max_size=6), st.integers(0, 5))
def test_a_digest_is_of_the_numbers_and_their_shape_and_not_of_their_type(numbers, place):
    codes = torch.tensor(numbers)
    other = codes.clone()
    other[place] += 1
    assert of_one(codes.to(torch.int32)) == of_one(codes) == of_one(codes.view(2, 3).t().contiguous().t().flatten())
    assert len({of_one(codes), of_one(other), of_one(codes.view(2, 3)), of_one(codes.view(3, 2))}) == 4


def test_a_digest_of_another_day_is_todays():
    assert of_one(torch.tensor([[0, 1], [2, 511]])).startswith("630106eca0288c06")


def test_of_a_method_that_draws_nothing_before_pixels_nothing_is_told(testset, tmp_path):
    fill(work(testset, tmp_path, toy.Noise()), TOLD)
    assert set(json.loads((tmp_path / "store.json").read_text())) == {
        *TOLD, "peak_memory_bytes", "reused", "made", "no_joules"
    }  # fmt: skip
    record = json.loads((tmp_path / "samples-00000.json").read_text())
    assert set(record) == {"tar_sha256", "entries", "latency", "peak_memory_bytes", "side"}


def test_the_index_is_the_same_whatever_was_drawn_before_pixels(testset, tmp_path):
    for name, inpainter in (("noise", toy.Noise()), ("structured", toy.Structured())):
        fill(work(testset, tmp_path / name, inpainter), TOLD)
    one, other = (tables.read(tmp_path / name / "index") for name in ("noise", "structured"))
    assert one.equals(other) and list(one) == ["key", "source", "k", "seed", "sha256", "hole", "piece"]


def test_a_piece_that_an_earlier_version_recorded_is_taken_over(testset, tmp_path):
    drawn(testset, tmp_path, toy.Structured())
    path = tmp_path / "samples-00001.json"
    record = json.loads(path.read_text())
    assert len(record.pop("latents")["structures"]) == len(record["entries"]) == 32
    path.write_text(json.dumps(record))
    found = store.read_piece(tmp_path, 1)
    assert found is not None and found.latents == {} and len(found.entries) == 32
    (tmp_path / "store.json").unlink()
    fill(work(testset, tmp_path, toy.Structured()), TOLD)
    assert "latents" not in SampleStore.open(tmp_path).description  # of a part of the completions nothing is claimed


def test_codes_that_are_not_one_a_completion_are_ours_to_mend():
    with pytest.raises(AssertionError, match="structures: not one a completion"):
        latents.digests(Completions(torch.zeros(2, 3, 3, 1, 1), latents={"structures": torch.zeros(2, 4, 4)}))
    with pytest.raises(AssertionError, match="whole numbers"):
        latents.digests(Completions(torch.zeros(2, 3, 3, 1, 1), latents={"structures": torch.zeros(2, 3, 4)}))
