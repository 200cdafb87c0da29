"""A sample of `make fuzz`: every door, a few inputs; the same in every run."""

import pytest

from tests.fuzz import door


@pytest.mark.parametrize("name", door.names())
def test_every_input_is_accepted_rightly_or_refused_in_one_line(name: str) -> None:
    one = door.find(name)
    tally = door.attack(one, one.SAMPLE, seed=0)
    assert tally.accepted + tally.refused >= one.SAMPLE
