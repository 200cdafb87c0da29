"""A tally of batches is that of all their images: means, counts, largest values, rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan

import pytest
import torch

from stages.losses.tally import Tally


def one(k: int) -> Tally:
    """What batch k gives: a few images, of which some are in a mean that other batches do not have."""
    draw, tally = torch.Generator().manual_seed(k), Tally()
    value_B, chosen_B = torch.randn(k + 2, generator=draw) * 10.0**k, torch.rand(k + 2, generator=draw) < 0.5
    tally.mean("all", value_B)
    tally.mean("some", value_B, chosen_B)
    if k % 2:
        tally.mean("odd", value_B)
    tally.count("codes", torch.bincount(torch.randint(5, (9,), generator=draw), minlength=5))
    tally.largest("worst", float(value_B.max()))
    tally.keep("features", torch.randn(k + 2, 3, generator=draw))
    return tally


def total(tallies: Sequence[Tally]) -> Tally:
    tally = Tally()
    for other in tallies:
        tally.add(other)
    return tally


def alike(a: Tally, b: Tally) -> bool:
    counts = {name: torch.equal(counts, b.counts[name]) for name, counts in a.counts.items()}
    same = (a.means(), a.maxima) == (b.means(), b.maxima) and list(a.means()) == list(b.means())
    return same and a.counts.keys() == b.counts.keys() and all(counts.values()) and torch.equal(*_rows(a, b))


def _rows(*tallies: Tally) -> list[torch.Tensor]:
    return [tally.rows("features") for tally in tallies]


def test_means_are_over_all_that_was_chosen_not_over_batches():
    tally, later = Tally(), Tally()
    tally.mean("x", torch.tensor([1.0, 2.0, 100.0]), torch.tensor([1, 1, 0]))
    later.mean("x", torch.tensor([6.0]))
    later.mean("none", torch.tensor([6.0]), torch.tensor([0]))
    tally.add(later)
    assert tally.means() == {"x": 3.0, "none": 0.0}


def test_it_is_what_the_images_themselves_give():
    tally, values = total([one(k) for k in range(4)]), []
    for k in range(4):
        values.append(torch.randn(k + 2, generator=torch.Generator().manual_seed(k)).double() * 10.0**k)
    assert tally.means()["all"] == pytest.approx(float(torch.cat(values).mean()))
    assert tally.maxima["worst"] == pytest.approx(float(torch.cat(values).max()))
    assert int(tally.counts["codes"].sum()) == 4 * 9 and tally.rows("features").shape == (2 + 3 + 4 + 5, 3)


def test_added_one_by_one_in_order_is_added_into_the_first_bit_for_bit():
    tallies = [one(k) for k in range(5)]
    first = one(0)
    for other in tallies[1:]:
        first.add(other)
    assert alike(first, total(tallies))
    assert not alike(total(tallies[::-1]), total(tallies)), "the order is what makes the bits"


def test_what_gave_nothing_adds_nothing():
    assert alike(total([Tally(), one(3), Tally()]), one(3))
    assert Tally().means() == Tally().maxima == Tally().counts == {} and len(Tally().rows("features")) == 0


def test_what_is_added_is_left_as_it_was():
    later = one(1)
    total([one(0), later, one(2)])
    assert alike(later, one(1))


@pytest.mark.parametrize("values", [(1.0, nan, 2.0), (nan, 1.0), (1.0, inf, nan)], ids=str)
def test_a_largest_value_that_is_no_number_is_told(values):
    tally = Tally()
    for value in values:
        tally.largest("worst", value)
    assert isnan(tally.maxima["worst"])
