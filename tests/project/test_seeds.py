"""Seeds are whole numbers from 0 to 2^63 - 1, the last one included."""

import pytest
import torch

from stages.contract import UserError
from stages.project import seeds


@pytest.mark.parametrize(("seed", "count"), [(0, 1), (5, 3), (2**63 - 1, 1), (2**63 - 4, 4)])
def test_seeds_in_a_row_fit_into_torchs_integers(seed: int, count: int) -> None:
    assert torch.tensor(seeds.several(seed, count)).tolist() == [seed + k for k in range(count)]


@pytest.mark.parametrize(("seed", "count"), [(2**63, 1), (2**63 - 1, 2), (2**64, 1), (-1, 5), (0, 0), (0, -1)])
def test_seeds_that_do_not_fit_are_one_line(seed: int, count: int) -> None:
    with pytest.raises(UserError, match=r"each from 0 to 9223372036854775807") as told:
        seeds.several(seed, count)
    assert "\n" not in str(told.value)


def test_numpys_generators_take_any_seed_from_0_on() -> None:
    drawn = {int(seeds.generator(seed, "masks").integers(2**62)) for seed in (0, 1, 2**63, 2**70)}
    assert len(drawn) == 4
    with pytest.raises(UserError, match="a seed is -1; give a whole number from 0 on"):
        seeds.generator(-1, "masks")
