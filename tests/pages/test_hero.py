"""The picture at the top: of completions that differ the best scored, and never of a hole that hides one colour."""

from __future__ import annotations

import pytest

from stages.pages import found as reading
from stages.pages import hero
from stages.pages.testsets import FLAT, alike
from tests.pages.project import finished


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> reading.Found:
    monkeypatch.chdir(finished())
    for name in ("PLURIFILL_DATA", "PLURIFILL_REPORTS"):
        monkeypatch.delenv(name, raising=False)
    return reading.read(finished() / "params.yaml")


def test_it_is_the_trained_entrys_best_image_whose_hole_hides_something(found: reading.Found) -> None:
    shown = hero.find(found)
    assert shown is not None and shown.entry == "latent_codes" and "completions that differ" in shown.chosen
    (testset,) = found.testsets
    table, long = found.tables[0], found.scores.long
    assert table.protocol == "box" and table.better(table.fidelity) == "lower"
    own = long[(long["protocol"] == "box") & (long["method"] == "latent_codes") & (long["metric"] == table.fidelity)]
    means = own.groupby("image", observed=True)["value"].mean()
    samples = testset.trained[0]
    seen = {key: testset.composited(samples.raw_KHWC(key), key) for key in testset.keys}
    fit = [key for key in testset.keys if not testset.is_flat(key) and not alike(seen[key])]
    assert shown.key == means.loc[fit].idxmin()
    assert len({picture.uri for picture in shown.samples}) > 1


def test_a_hole_that_hides_one_colour_is_flat_and_shown_last(found: reading.Found) -> None:
    (testset,) = found.testsets
    spreads = {key: testset.image(key)[testset.hole(key)].std(axis=0).mean() for key in testset.keys}
    assert {key for key in testset.keys if testset.is_flat(key)} == {k for k, s in spreads.items() if s < FLAT}
    shown = testset.shown(testset.entries[0])
    assert [testset.is_flat(key) for key in shown] == sorted(testset.is_flat(key) for key in shown)
