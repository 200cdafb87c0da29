"""The picture at the top: of completions that differ the best scored, and never of a hole that hides one colour."""

from __future__ import annotations

import pytest

from stages.images.pixels import Uint8
from stages.pages import found as reading
from stages.pages import hero
from stages.pages.testsets import FLAT, SampledTestSet, alike
from tests.pages.project import finished


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> reading.Found:
    monkeypatch.chdir(finished())
    for name in ("PLURIFILL_DATA", "PLURIFILL_REPORTS"):
        monkeypatch.delenv(name, raising=False)
    return reading.read(finished() / "params.yaml")


def ranked(found: reading.Found) -> list[str]:
    """The trained entry's images of completions that differ and holes that hide something, the best mean first."""
    (testset,) = found.testsets
    table, long = found.tables[0], found.scores.long
    assert table.protocol == "box" and table.better(table.fidelity) == "lower"
    own = long[(long["protocol"] == "box") & (long["method"] == "latent_codes") & (long["metric"] == table.fidelity)]
    means = own.groupby("image", observed=True)["value"].mean()
    fit = [key for key in testset.keys if not testset.is_flat(key) and not alike(completions(testset, key))]
    return list(means.loc[fit].sort_values().index)


def completions(testset: SampledTestSet, key: str) -> Uint8:
    return testset.composited(testset.trained[0].raw_KHWC(key), key)


def test_it_is_the_trained_entrys_best_image_of_a_hole_that_hides_structure(
    found: reading.Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    (testset,) = found.testsets
    spread = {key: testset.hidden(key) for key in ranked(found)}
    monkeypatch.setattr(hero, "APART", 0.0)
    monkeypatch.setattr(hero, "STRUCTURE", sorted(spread.values())[-2])  # two images have so much
    shown = hero.find(found)
    assert shown is not None and shown.entry == "latent_codes" and "completions that differ" in shown.chosen
    assert shown.key == next(key for key in spread if spread[key] >= hero.STRUCTURE)
    assert len({picture.uri for picture in shown.samples}) > 1


@pytest.mark.parametrize("bound", ["SHARE", "APART", "STRUCTURE"])
def test_where_no_image_has_enough_to_see_the_best_of_all_is_shown(
    found: reading.Found, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hero, bound, 256.0)
    shown = hero.find(found)
    assert shown is not None and shown.key == ranked(found)[0]


def test_a_hole_that_hides_one_colour_is_flat_and_shown_last(found: reading.Found) -> None:
    (testset,) = found.testsets
    spreads = {key: testset.image(key)[testset.hole(key)].std(axis=0).mean() for key in testset.keys}
    assert {key for key in testset.keys if testset.is_flat(key)} == {k for k, s in spreads.items() if s < FLAT}
    shown = testset.shown(testset.entries[0])
    assert [testset.is_flat(key) for key in shown] == sorted(testset.is_flat(key) for key in shown)
