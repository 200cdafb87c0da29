"""The store: a run that stopped goes on, a damaged piece is made again, and nothing depends on batches."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.contract import Completions, Request, UserError
from stages.images.files import read_rgb
from stages.project import tables
from stages.project.entries import Entry
from stages.sampling import sampler, store, testsets
from stages.sampling.sampler import Sampler, Work, fill
from stages.sampling.store import SampleStore
from stages.sampling.testsets import TestSetParams, open_testset, spaced
from tests.faults.harm import flip, truncate
from tests.sampling import toy

CPU = torch.device("cpu")
NOISE = Entry("noise")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return toy.make(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def testset(project) -> testsets.TestSet:
    """12 images x 8 samples: two pieces."""
    with toy.inside(project):
        return open_testset("noise", TestSetParams(dataset="toy", masks="centre", samples=8))


def work(testset: testsets.TestSet, place: Path, batch: int = 0) -> tuple[Work, toy.Noise]:
    noise = toy.Noise()
    return Work(testset, NOISE, Sampler(lambda: noise, CPU), place, batch), noise


def drawn(testset: testsets.TestSet, place: Path, batch: int = 0) -> tuple[SampleStore, int]:
    """The finished samples in `place` and how many calls it took."""
    one, noise = work(testset, place, batch)
    fill(one, {"entry": "noise"})
    return SampleStore.open(place), noise.calls


def content(place: Path) -> dict[str, bytes]:
    """All bytes but those that tell of time."""
    return {path.name: path.read_bytes() for path in sorted(place.glob("*.tar"))}


def test_every_completion_is_kept_with_its_seed(testset, tmp_path):
    finished, calls = drawn(testset, tmp_path)
    assert calls == 2
    assert finished.keys == list(testset.dataset.keys) and len(finished.sources) == toy.IMAGES
    raw_KHWC = finished.raw_KHWC(finished.keys[3])
    assert raw_KHWC.shape == (8, toy.SIZE, toy.SIZE, 3) and raw_KHWC.dtype == np.uint8
    seed = testset.seeds(finished.keys[3])[5]
    hole_HW = testset.masks.hole(finished.keys[3])
    noise_CHW = torch.rand(3, toy.SIZE, toy.SIZE, generator=torch.Generator().manual_seed(seed)).numpy()
    expected_HWC = (noise_CHW.transpose(1, 2, 0) + 0.5) * 127.5  # blank in the hole: the noise alone
    assert np.abs(raw_KHWC[5] - expected_HWC)[hole_HW].max() <= 0.51


def test_batches_do_not_change_a_byte(testset, tmp_path):
    drawn(testset, tmp_path / "pieces")
    _, calls = drawn(testset, tmp_path / "threes", batch=3)
    assert calls == 5  # pieces of 8 and 4 images
    assert content(tmp_path / "pieces") == content(tmp_path / "threes")


def test_a_stopped_run_goes_on_and_ends_as_an_undisturbed_one(testset, tmp_path):
    drawn(testset, tmp_path / "whole")
    one, _ = work(testset, tmp_path / "stopped")
    sampler._make(one, 0, testset.chosen[:8])
    (tmp_path / "stopped" / ".samples-00001.tar.99").write_bytes(b"half a piece")
    finished, calls = drawn(testset, tmp_path / "stopped")
    assert calls == 1 and finished.description["reused"] == 64 and finished.description["made"] == 32
    assert content(tmp_path / "stopped") == content(tmp_path / "whole")
    assert not list((tmp_path / "stopped").glob(".*"))


DAMAGES = {
    "a changed byte": lambda tar: tar.write_bytes(tar.read_bytes()[:700] + b"!" + tar.read_bytes()[701:]),
    "half a file": lambda tar: tar.write_bytes(tar.read_bytes()[: tar.stat().st_size // 2]),
    "no file": lambda tar: tar.unlink(),
    "an empty record": lambda tar: tar.with_suffix(".json").write_text(""),
    "another record": lambda tar: tar.with_suffix(".json").write_text('{"entries": [], "latency": []}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_piece_is_made_again_and_only_that(testset, tmp_path, damage):
    drawn(testset, tmp_path)
    before = content(tmp_path)
    DAMAGES[damage](store.tar_path(tmp_path, 1))
    finished, calls = drawn(testset, tmp_path)
    assert calls == 1 and finished.description["reused"] == 64
    assert content(tmp_path) == before


@pytest.mark.parametrize("harm", [flip, truncate, lambda path, draw: path.unlink()])
def test_a_harmed_side_picture_is_made_again_with_its_piece_alone(testset, tmp_path, draw, harm):
    finished, _ = drawn(testset, tmp_path)
    before = {name: path.read_bytes() for name, path in finished.side(finished.keys[3]).items()}
    harm(finished.side(finished.keys[3])["noise-05"], draw)
    again, calls = drawn(testset, tmp_path)
    assert calls == 1 and again.description["made"] == 64
    assert {name: path.read_bytes() for name, path in again.side(again.keys[3]).items()} == before


@pytest.mark.parametrize("harm", [truncate, lambda path, draw: path.unlink()])
@pytest.mark.parametrize("name", ["index.parquet", "latency.parquet", "store.json"])
def test_a_harmed_table_or_description_is_written_again_and_nothing_is_drawn(testset, tmp_path, draw, name, harm):
    before, _ = drawn(testset, tmp_path)
    harm(tmp_path / name, draw)
    again, calls = drawn(testset, tmp_path)
    assert calls == 0 and again.description["reused"] == 96
    assert again.latency.equals(before.latency) and again.sources == before.sources


@pytest.mark.parametrize("name", ["index", "latency"])
def test_another_bit_of_a_tables_values_is_found(testset, tmp_path, draw, name):
    """Bits of a column's name, or between the columns, show in no value."""
    drawn(testset, tmp_path)
    path = tmp_path / f"{name}.parquet"
    whole, frame, found = path.read_bytes(), tables.read(tmp_path / name), 0
    for _ in range(30):
        flip(path, draw)
        found += not store.is_finished(tmp_path)
        if store.is_finished(tmp_path):
            assert tables.read(tmp_path / name).astype(str).to_numpy().tolist() == frame.astype(str).to_numpy().tolist()
        path.write_bytes(whole)
    assert found > 10


def test_a_reader_notices_damage_and_says_what_to_do(testset, tmp_path):
    finished, _ = drawn(testset, tmp_path)
    DAMAGES["a changed byte"](store.tar_path(tmp_path, 0))
    with pytest.raises(UserError, match=r"samples-00000\.tar.*damaged.*plurifill sample"):
        finished.raw_KHWC(finished.keys[0])
    assert finished.raw_KHWC(finished.keys[-1]).shape[0] == 8


def test_what_is_not_finished_is_not_read(testset, tmp_path):
    one, _ = work(testset, tmp_path)
    sampler._make(one, 0, testset.chosen[:8])
    with pytest.raises(UserError, match="no finished samples"):
        SampleStore.open(tmp_path)


def test_samples_of_an_older_version_are_to_be_made_again(testset, tmp_path):
    drawn(testset, tmp_path)
    tables.write(tables.read(tmp_path / "index").drop(columns="hole"), tmp_path / "index")
    with pytest.raises(UserError, match="no finished samples; run `plurifill sample`"):
        SampleStore.open(tmp_path)


def test_the_first_call_is_the_warm_up_and_phases_are_shared_out(testset, tmp_path):
    finished, _ = drawn(testset, tmp_path, batch=4)
    phases = finished.latency[finished.latency["phase"] == "noise"]
    assert phases["seconds"].tolist() == [0.25 / 4] * toy.IMAGES
    assert phases["warm_up"].tolist() == [True] * 4 + [False] * 8
    assert set(finished.latency["phase"]) == {"total", "noise"}


def test_side_pictures_of_the_first_images_are_kept(testset, tmp_path):
    finished, _ = drawn(testset, tmp_path)
    assert set(finished.side(finished.keys[0])) == {"known", *(f"noise-{k:02d}" for k in range(8))}
    assert finished.side(finished.keys[8]) == {}


class Copies(toy.Noise):
    """Carries another image's content over as it is."""

    def transfer(self, request: Request, target_BCHW: torch.Tensor) -> Completions:
        assert (request.image_BCHW * (1 - request.known_B1HW) == 0).all()  # blanked, as for a sample
        return Completions(target_BCHW[:, None], {}, {})


def test_a_method_that_can_transfer_shows_the_next_image_in_each_hole(testset, tmp_path):
    fill(Work(testset, Entry("copies"), Sampler(Copies, CPU), tmp_path, 4), {"entry": "copies"})
    finished = SampleStore.open(tmp_path)
    pictures = dict(zip(testset.dataset.keys, map(testset.dataset.image, range(12)), strict=True))
    for key, target in zip(finished.keys[:8], [*finished.keys[1:8], finished.keys[0]], strict=True):
        side = {name: read_rgb(path) for name, path in finished.side(key).items() if name.startswith("transfer")}
        hole_HW1 = testset.masks.hole(key)[..., None]
        assert (side["transfer_target"] == pictures[target]).all()
        assert (side["transfer"] == np.where(hole_HW1, pictures[target], pictures[key])).all()


def test_a_seed_depends_on_seed_key_and_k(testset):
    one, other = (replace(testset, params=testset.params.model_copy(update={"seed": seed})) for seed in (0, 1))
    seeds = {seed for some in (one, other) for key in ("a", "b") for seed in some.seeds(key)}
    assert len(seeds) == 4 * testset.params.samples and all(0 <= seed < 2**63 for seed in seeds)
    fewer = replace(one, chosen=one.chosen[:1], params=one.params.model_copy(update={"samples": 2}))
    assert fewer.seeds("a") == one.seeds("a")[:2]  # neither the other images nor the count of samples matter


def test_images_are_taken_evenly():
    assert spaced(10, 4) == (0, 2, 5, 7)
    assert spaced(3, 3) == (0, 1, 2) and spaced(3, None) == (0, 1, 2)


def test_a_test_set_of_more_images_than_there_are_is_the_users_mistake(project):
    with toy.inside(project), pytest.raises(UserError, match="has 12"):
        open_testset("many", TestSetParams(dataset="toy", masks="centre", samples=1, images=13))


def test_a_record_is_plain_json(testset, tmp_path):
    drawn(testset, tmp_path)
    record = json.loads((tmp_path / "samples-00000.json").read_text())
    assert set(record["entries"][0]) == {"key", "source", "k", "seed", "sha256", "hole"}
    assert record["entries"][0]["hole"] == 0.25
