"""Sweeps: what is drawn and told of their points is what these say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.evaluation.sweeps import pictures, points
from stages.pages.sections import sweeps
from tests.evaluation.sweeps.made import finish, keep


def shown(folder: Path, values: Mapping[str, Any]) -> list[sweeps.Shown]:
    kept = list(pictures.read(folder))
    return [sweeps.shown(sweep, values, kept) for sweep in points.read_all(folder)]


def test_one_number_is_a_line_two_keys_are_a_grid_and_words_are_a_table(tmp_path: Path) -> None:
    for t in (0.5, 1.0, 2.0):
        finish(tmp_path / "one", f"{t}", {"inpaint.temperature": t}, 20 + t)
        for s in (0.1, 0.9):
            finish(tmp_path / "two", f"{t}-{s}", {"inpaint.temperature": t, "inpaint.annealing": s}, 20 + t + s)
    for word in ("none", "mask"):
        finish(tmp_path / "words", word, {"encoder.restrict": word}, 20)
    one, two, words = shown(tmp_path, {"inpaint": {"temperature": 1.0}})
    assert (one.points, two.points, words.points) == (3, 6, 2)
    (line,) = one.charts[0].lines
    assert [x for x, _, _ in line.dots] == [0.0, 100.0, 300.0]
    assert all(top < y < bottom for (_, y, _), (_, top, bottom) in zip(line.dots, line.bars, strict=True))
    shares = [share for _, cells in two.heats[0].rows for _, share in cells]
    assert (min(shares), max(shares), len(shares)) == (0.0, 1.0, 6)
    assert not words.charts and not words.heats and words.tables[0].heads[0] == "restrict"
    assert shown(tmp_path / "nowhere", {}) == []


def test_a_list_of_points_that_do_not_set_all_keys_is_no_grid(tmp_path: Path) -> None:
    for name, overrides in {
        "a": {"encoder.kind": "x"},
        "b": {"encoder.kind": "y"},
        "c": {"encoder.kind": "y", "encoder.mask": True},
    }.items():
        finish(tmp_path / "list", name, overrides, 20)
    (one,) = shown(tmp_path, {})
    assert one.parameters == ("kind", "mask") and not one.charts and not one.heats
    assert [values for _, values, _ in one.tables[0].rows] == [("x", "–"), ("y", "–"), ("y", "True")]


def test_a_sweeps_table_tells_the_difference_from_what_params_sets(tmp_path: Path) -> None:
    for t in (0.5, 1.0):
        finish(tmp_path / "one", f"{t}", {"inpaint.temperature": t}, 20 + t)
    (one,) = shown(tmp_path, {"inpaint": {"temperature": 1.0}})
    (cold, _, scores), (warm, _, reference) = one.tables[0].rows
    assert (one.reference, cold, warm) == ("1.0", "0.5", "1.0")
    assert scores[0].difference.startswith("-0.") and scores[0].difference.endswith("*")
    assert reference[0].difference == "" and "40 images" in scores[0].why


def test_a_sweep_says_whether_its_points_complete_the_same(tmp_path: Path) -> None:
    for t in (0.5, 1.0):
        for sweep, digest in (("equal", "a"), ("unequal", str(t)), ("untold", "")):
            finish(tmp_path / sweep, f"{t}", {"decoder.lr": t}, 20 + t)
            keep(tmp_path / sweep, f"{t}", {"structures": digest} if digest else {})
    said = {one.name: one.latents for one in shown(tmp_path, {})}
    assert said["equal"] == ("All points complete the same structures (sha a).",)
    assert len(said["unequal"]) == 1 and "different structures" in said["unequal"][0] and said["untold"] == ()
