"""The demo's server: completions as `inpaint` draws them, known pixels untouched, mistakes in one line."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from stages.demo.asked import MOST, PIXELS
from stages.demo.server import LARGEST
from tests.demo.conftest import completions, mask, picture, png


def test_known_pixels_are_the_pictures_own_and_the_hole_depends_on_the_seed(ask):
    drawn = completions(ask())
    assert [seed for seed, _ in drawn] == ["5", "6", "7"]
    hole_HW = mask() > 0
    for _, completed_HWC in drawn:
        assert (completed_HWC[~hole_HW] == picture()[~hole_HW]).all()
        assert (completed_HWC[hole_HW] != picture()[hole_HW]).any()
    assert len({completed_HWC.tobytes() for _, completed_HWC in drawn}) == 3


def test_transparency_and_profile_of_the_file_stay(ask):
    rgba_HWC, kept = picture(channels=4), io.BytesIO()
    profile = b"0" * 16 + b"RGB " + b"0" * 108
    Image.fromarray(rgba_HWC).save(kept, format="PNG", icc_profile=profile)
    ((_, completed_HWC), *_) = completions(ask(image=kept.getvalue()))
    assert (completed_HWC[mask() == 0] == rgba_HWC[mask() == 0]).all()
    assert (completed_HWC[mask() > 0, 3] == 255).all()


def test_what_was_in_the_hole_cannot_change_the_answer(ask):
    other_HWC = picture()
    other_HWC[mask() > 0] = 255 - other_HWC[mask() > 0]
    for (_, one), (_, other) in zip(completions(ask()), completions(ask(image=png(other_HWC))), strict=True):
        assert (one == other).all()


def test_a_seed_draws_the_same_whatever_it_is_asked_with(ask):
    alone = completions(ask(seed=7, nsampling=1))
    assert (alone[0][1] == completions(ask())[2][1]).all()


def test_the_temperature_is_the_one_asked_for_and_else_the_params(ask):
    plain, hot, asked = (completions(ask(**how)) for how in ({}, {"entry": "shaker/hot"}, {"temperature": 2.0}))
    assert (hot[0][1] == asked[0][1]).all() and (plain[0][1] != hot[0][1]).any()


def test_people_who_ask_at_once_get_their_own(ask):
    own = {seed: completions(ask(seed=seed, nsampling=1))[0][1] for seed in range(8)}
    with ThreadPoolExecutor(8) as people:
        replies = people.map(lambda seed: completions(ask(seed=seed, nsampling=1))[0], [*range(8)] * 3)
    assert all((completed == own[int(seed)]).all() for seed, completed in replies)


def test_entries_tell_what_they_lack(ask):
    listed = {one["entry"]: one for one in ask("/api/entries").json()}
    assert listed["shaker"] == {"entry": "shaker", "temperature": 1.0, "missing": None}
    assert listed["classical"]["missing"] is None and listed["classical"]["temperature"] is None
    assert "dvc repro flow_fill@prior" in listed["flow_fill"]["missing"]


def test_examples_are_served_by_key(ask):
    assert ask("/api/examples").json() == {"keys": ["a/1"], "missing": None}
    assert ask("/api/examples/a%2F1").content == png(picture())
    assert ask("/api/examples/b").json()["error"].startswith("b: no such example")


def test_a_picture_comes_back_as_completions_see_it(ask):
    turned, kept = Image.fromarray(picture()), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(kept, format="TIFF", exif=exif)
    seen_HWC = np.asarray(Image.open(io.BytesIO(ask("/api/picture", content=kept.getvalue()).content)))
    assert (seen_HWC == np.rot90(picture(), -1)).all()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"image": b"no picture"}, "the picture: "),
        ({"mask": b""}, "the hole: empty file; paint it again"),
        ({"mask": png(np.zeros((20, 30), np.uint8))}, "the hole: no hole in it; paint over a part of the picture"),
        ({"mask": png(np.full((20, 30), 255, np.uint8))}, "the hole: nothing is known"),
        ({"mask": png(mask(20, 31))}, "the hole: 31 x 20 pixels, but the picture has 30 x 20"),
        ({"image": "a"}, "image: "),
        ({"entry": "shaker/cold"}, "methods.shaker.inpaint.variants: no cold"),
        ({"entry": "flow_fill"}, "data/models/flow_fill/prior"),
        ({"entry": "../x"}, "params.yaml: no key methods....inpaint"),
        ({"entry": "classical", "temperature": 1.0}, "params: unknown key methods.classical.inpaint.temperature"),
        ({"temperature": "warm"}, "temperature: "),
        ({"nsampling": MOST + 1}, "nsampling: "),
        ({"seed": 2**63}, "seed: "),
        ({"window": "door"}, "window: "),
    ],
    ids=lambda value: None if isinstance(value, dict) else value.partition(":")[0],
)
def test_a_mistake_is_one_line(ask, given, line):
    reply = ask(**given)
    assert reply.status_code == 422 and list(reply.json()) == ["error"]
    assert reply.json()["error"].startswith(line) and "\n" not in reply.json()["error"]


@pytest.mark.parametrize(("body", "status"), [(b"no JSON", 422), (b"\xff{}", 400)])
def test_a_body_that_is_no_request_is_one_line_too(ask, body, status):
    reply = ask(content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == status and list(reply.json()) == ["error"] and reply.json()["error"]


def test_a_picture_over_the_limit_is_refused_before_anything_is_drawn(ask):
    wide = png(np.zeros((1, PIXELS + 1, 3), np.uint8))
    assert "16 million at most" in ask("/api/picture", content=wide).json()["error"]
    assert ask("/api/picture", content=b"0" * (LARGEST + 1)).status_code == 413
    assert ask("/api/picture", content=iter([b"0"])).status_code == 411


def test_a_method_without_a_size_of_its_own_takes_no_large_picture(ask):
    large = {"image": png(picture(800, 800)), "mask": png(np.pad(mask(), ((0, 780), (0, 770)))), "entry": "classical"}
    assert "choose another method than classical" in ask(**large).json()["error"]


def test_another_host_is_not_answered(ask):
    assert ask("/api/picture", content=png(picture()), headers={"host": "else.example"}).status_code == 400
