"""The store: a run that stopped goes on, a damaged piece is made again, and nothing depends on batches."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stages import tables
from stages.contract import Completions, Request, UserError
from stages.images.pixels import read_rgb
from stages.samples import draws, sampling, store
from stages.samples.draws import Draw, open_draw, sample_seed, spaced
from stages.samples.sampling import Sampler, Work, fill
from stages.samples.store import Finished
from tests.samples import toy

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return toy.make(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def opened(project) -> draws.Opened:
    """12 images x 8 samples: two pieces."""
    with toy.inside(project):
        return open_draw("noise", Draw(dataset="toy", masks="centre", samples=8))


def work(opened: draws.Opened, place: Path, batch: int = 0) -> tuple[Work, toy.Noise]:
    noise = toy.Noise()
    return Work(opened, "noise", Sampler(lambda: noise, CPU, batch), place), noise


def drawn(opened: draws.Opened, place: Path, batch: int = 0) -> tuple[Finished, int]:
    """The finished draw in `place` and how many calls it took."""
    one, noise = work(opened, place, batch)
    fill(one, {"row": "noise"})
    return Finished.open(place), noise.calls


def content(place: Path) -> dict[str, bytes]:
    """All bytes but those that tell of time."""
    return {path.name: path.read_bytes() for path in sorted(place.glob("*.tar"))}


def test_every_completion_is_kept_with_its_seed(opened, tmp_path):
    finished, calls = drawn(opened, tmp_path)
    assert calls == 2
    assert finished.keys == opened.dataset.keys and len(finished.sources) == toy.IMAGES
    raw_KHWC = finished.raw_KHWC(finished.keys[3])
    assert raw_KHWC.shape == (8, toy.SIZE, toy.SIZE, 3) and raw_KHWC.dtype == np.uint8
    seed = sample_seed(0, finished.keys[3], 5)
    hole_HW = opened.masks.hole(finished.keys[3])
    noise_CHW = torch.rand(3, toy.SIZE, toy.SIZE, generator=torch.Generator().manual_seed(seed)).numpy()
    expected_HWC = (noise_CHW.transpose(1, 2, 0) + 0.5) * 127.5  # blank in the hole: the noise alone
    assert np.abs(raw_KHWC[5] - expected_HWC)[hole_HW].max() <= 0.51


def test_batches_do_not_change_a_byte(opened, tmp_path):
    drawn(opened, tmp_path / "pieces")
    _, calls = drawn(opened, tmp_path / "threes", batch=3)
    assert calls == 5  # pieces of 8 and 4 images
    assert content(tmp_path / "pieces") == content(tmp_path / "threes")


def test_a_stopped_run_goes_on_and_ends_as_an_undisturbed_one(opened, tmp_path):
    drawn(opened, tmp_path / "whole")
    one, _ = work(opened, tmp_path / "stopped")
    sampling._make(one, 0, opened.chosen[:8])
    (tmp_path / "stopped" / ".samples-00001.tar.99").write_bytes(b"half a piece")
    finished, calls = drawn(opened, tmp_path / "stopped")
    assert calls == 1 and finished.draw["reused"] == 64 and finished.draw["made"] == 32
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
def test_a_damaged_piece_is_made_again_and_only_that(opened, tmp_path, damage):
    drawn(opened, tmp_path)
    before = content(tmp_path)
    DAMAGES[damage](store.tar_path(tmp_path, 1))
    finished, calls = drawn(opened, tmp_path)
    assert calls == 1 and finished.draw["reused"] == 64
    assert content(tmp_path) == before


def test_a_reader_notices_damage_and_says_what_to_do(opened, tmp_path):
    finished, _ = drawn(opened, tmp_path)
    DAMAGES["a changed byte"](store.tar_path(tmp_path, 0))
    with pytest.raises(UserError, match=r"samples-00000\.tar.*damaged.*plurifill sample"):
        finished.raw_KHWC(finished.keys[0])
    assert finished.raw_KHWC(finished.keys[-1]).shape[0] == 8


def test_what_is_not_finished_is_not_read(opened, tmp_path):
    one, _ = work(opened, tmp_path)
    sampling._make(one, 0, opened.chosen[:8])
    with pytest.raises(UserError, match="no finished samples"):
        Finished.open(tmp_path)


def test_samples_of_an_older_version_are_to_be_made_again(opened, tmp_path):
    drawn(opened, tmp_path)
    tables.write(tables.read(tmp_path / "index").drop(columns="hole"), tmp_path / "index")
    with pytest.raises(UserError, match="no finished samples; run `plurifill sample`"):
        Finished.open(tmp_path)


def test_the_first_call_is_the_warm_up_and_phases_are_shared_out(opened, tmp_path):
    finished, _ = drawn(opened, tmp_path, batch=4)
    phases = finished.latency[finished.latency["phase"] == "draw"]
    assert phases["seconds"].tolist() == [0.25 / 4] * toy.IMAGES
    assert phases["warm_up"].tolist() == [True] * 4 + [False] * 8
    assert set(finished.latency["phase"]) == {"total", "draw"}


def test_side_pictures_of_the_first_images_are_kept(opened, tmp_path):
    finished, _ = drawn(opened, tmp_path)
    assert set(finished.side(finished.keys[0])) == {"known", *(f"noise-{k:02d}" for k in range(8))}
    assert finished.side(finished.keys[8]) == {}


class Copies(toy.Noise):
    """Carries another image's content over as it is."""

    def transfer(self, request: Request, target_BCHW: torch.Tensor) -> Completions:
        assert (request.image_BCHW * (1 - request.known_B1HW) == 0).all()  # blanked, as for a sample
        return Completions(target_BCHW[:, None], {}, {})


def test_a_method_that_can_transfer_shows_the_next_image_in_each_hole(opened, tmp_path):
    fill(Work(opened, "copies", Sampler(Copies, CPU, 4), tmp_path), {"draw": "centre", "row": "copies"})
    finished = Finished.open(tmp_path)
    pictures = dict(zip(opened.dataset.keys, map(opened.dataset.image, range(12)), strict=True))
    for key, target in zip(finished.keys[:8], [*finished.keys[1:8], finished.keys[0]], strict=True):
        side = {name: read_rgb(path) for name, path in finished.side(key).items() if name.startswith("transfer")}
        hole_HW1 = opened.masks.hole(key)[..., None]
        assert (side["transfer_target"] == pictures[target]).all()
        assert (side["transfer"] == np.where(hole_HW1, pictures[target], pictures[key])).all()


def test_a_seed_depends_on_seed_key_and_k():
    seeds = {sample_seed(seed, key, k) for seed in (0, 1) for key in ("a", "b") for k in (0, 1)}
    assert len(seeds) == 8 and all(0 <= seed < 2**63 for seed in seeds)
    assert sample_seed(0, "a", 1) == sample_seed(0, "a", 1)


def test_images_are_taken_evenly():
    assert spaced(10, 4) == (0, 2, 5, 7)
    assert spaced(3, 3) == (0, 1, 2) and spaced(3, None) == (0, 1, 2)


def test_a_draw_of_more_images_than_there_are_is_the_users_mistake(project):
    with toy.inside(project), pytest.raises(UserError, match="has 12"):
        open_draw("many", Draw(dataset="toy", masks="centre", samples=1, images=13))


def test_a_record_is_plain_json(opened, tmp_path):
    drawn(opened, tmp_path)
    record = json.loads((tmp_path / "samples-00000.json").read_text())
    assert set(record["entries"][0]) == {"key", "source", "k", "seed", "sha256", "hole"}
    assert record["entries"][0]["hole"] == 0.25
