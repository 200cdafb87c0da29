"""Whether a sweep's points complete the same is told where they say it, and of nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from stages.evaluation.sweeps import latents, pictures, points
from tests.evaluation.sweeps.made import finish, keep

ONE, OTHER = "1234abcd" + "0" * 8, "1234abcd" + "f" * 8


def told(folder: Path, *drawn: Mapping[str, str], testset: str = "centre") -> list[str]:
    """Of a sweep in `folder` whose points drew these."""
    for number, of_point in enumerate(drawn):
        finish(folder, f"p{number}", {"m.losses": number}, 20.0)
        keep(folder, f"p{number}", of_point, testset=testset)
    return latents.told(points.read(folder), pictures.read(folder.parent))


@pytest.mark.parametrize(
    ("drawn", "line"),
    [
        ([ONE, ONE, ONE], "All points complete the same structures (sha 1234abcd)."),
        ([ONE, ONE, OTHER], "The points complete different structures: "),
        ([ONE, "", ONE], "Not every point tells which structures it completes."),
    ],
)
def test_points_that_complete_the_same_others_and_who_knows_what(tmp_path: Path, drawn: list[str], line: str) -> None:
    (said,) = told(tmp_path / "losses", *({"structures": one} if one else {} for one in drawn))
    assert said.startswith(line)


def test_test_sets_are_compared_each_with_itself(tmp_path: Path) -> None:
    told(tmp_path / "losses", {"structures": ONE}, {"structures": ONE})
    both = told(tmp_path / "losses", {"structures": "77" * 8}, {"structures": "77" * 8}, testset="box")
    assert both == ["All points complete the same structures (sha 77777777, 1234abcd)."]
    (said,) = told(tmp_path / "losses", {"structures": "77" * 8}, {"structures": "78" * 8}, testset="box")
    assert said.startswith("The points complete different structures")


def test_nothing_is_told_where_nothing_was_drawn_or_nothing_is_compared(tmp_path: Path) -> None:
    assert told(tmp_path / "none", {}, {}) == []
    assert told(tmp_path / "alone", {"structures": ONE}) == []
    told(tmp_path / "one", {"structures": ONE}, {"structures": ONE})
    assert told(tmp_path / "other", {}, {}) == []  # another sweep's points are not its own
