"""Sweeps: what is drawn and told of their points is what these say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.contract import UserError
from stages.evaluation.sweeps import comparison, pictures, points, seeds
from stages.pages.sections import sweeps
from tests.evaluation.sweeps.made import ALPHA, finish, give_up, keep


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


def test_points_that_a_search_gave_up_are_told_beside_the_others_and_drawn_nowhere(tmp_path: Path) -> None:
    for t in (0.5, 1.0):
        finish(tmp_path / "one", f"{t}", {"inpaint.temperature": t}, 20 + t)
    give_up(tmp_path / "one", "3.0", {"inpaint.temperature": 3.0}, 100, 0.71234)
    give_up(tmp_path / "one", "2.0", {"inpaint.temperature": 2.0}, 1300, float("nan"))
    (one,) = shown(tmp_path, {})
    assert one.stopped == (
        "2.0: at step 1,300, its val lpips of vq nan",
        "3.0: at step 100, its val lpips of vq 0.7123",
    )
    assert one.points == 2 == len(one.tables[0].rows) and len(one.charts[0].lines[0].dots) == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"point": "3.0"}', '{"search": {"stop": {}}}'])
def test_a_damaged_note_of_such_a_point_is_one_line(tmp_path: Path, text: str) -> None:
    finish(tmp_path / "one", "1", {"inpaint.temperature": 1}, 20)
    give_up(tmp_path / "one", "3", {"inpaint.temperature": 3}, 100, 0.7)
    note = tmp_path / "one/stopped/3.json"
    note.write_text(text)
    with pytest.raises(UserError, match=f"^{note}: no note of a point that was stopped; remove it"):
        points.read_all(tmp_path)


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


def test_a_sweeps_table_tells_parameters_time_and_finite_steps_of_the_parts(tmp_path: Path) -> None:
    took = {"seconds": 90.0, "steps": 300, "skipped_steps": 2}
    for levels, parameters in ((1, 1_200_345), (2, 2_400_690)):
        learnt = {"flow_fill/prior": {"parameters": parameters, **took}, "dsi/vq": {"parameters": 5, **took}}
        finish(tmp_path / "one", f"{levels}", {"prior.levels": levels}, 20, ("flow_fill/cold",), trainings=learnt)
    finish(tmp_path / "one", "3", {"prior.levels": 3}, 20, ("flow_fill/cold",))
    ((table,),) = (one.tables for one in shown(tmp_path, {}))
    assert table.heads[:3] == ("levels", "prior: parameters", "PSNR ↑")
    cells = [scores[0] for _, _, scores in table.rows]
    assert [cell.text for cell in cells] == ["1,200,345", "2,400,690", "–"]
    assert {(cell.interval, cell.difference) for cell in cells[:2]} == {("1.5 min", "298 of 300 steps")}
    assert all(len(scores) == len(table.heads) - 1 for _, _, scores in table.rows)


def test_a_sweep_says_whether_its_points_complete_the_same(tmp_path: Path) -> None:
    for t in (0.5, 1.0):
        for sweep, digest in (("equal", "a"), ("unequal", str(t)), ("untold", "")):
            finish(tmp_path / sweep, f"{t}", {"decoder.lr": t}, 20 + t)
            keep(tmp_path / sweep, f"{t}", {"structures": digest} if digest else {})
    said = {one.name: one.latents for one in shown(tmp_path, {})}
    assert said["equal"] == ("All points complete the same structures (sha a).",)
    assert len(said["unequal"]) == 1 and "different structures" in said["unequal"][0] and said["untold"] == ()


PRIOR, DECODER = "methods.latent_codes.prior.loop.seed", "methods.latent_codes.decoder.loop.seed"


def test_seeds_over_two_keys_are_a_table_of_their_spread_and_no_picture(tmp_path: Path) -> None:
    for first in (0, 1):
        for second in (0, 1):
            overrides = {PRIOR: first, DECODER: second}
            finish(tmp_path / "seeds", f"{first}-{second}", overrides, 20 + first + 2 * second)
    (one,) = shown(tmp_path, {})
    assert not one.charts and not one.heats and one.beside == ()
    psnr = next(spread for spread in one.seeds if spread.metric == "PSNR")
    assert (psnr.values, psnr.trainings) == ((), 4)


def test_trainings_of_one_value_are_one_dot_with_the_spread_of_their_seeds(tmp_path: Path) -> None:
    for alpha in (0.25, 1.0):
        for seed in (0, 1, 2):
            finish(tmp_path / "both", f"{alpha}-{seed}", {ALPHA: alpha, PRIOR: seed}, 20 + alpha + seed)
    (one,) = shown(tmp_path, {})
    swept = points.read(tmp_path / "both")
    together = seeds.together(swept, comparison.curve(swept)).to_dict("records")
    own = {(row["metric"], row["values"]): row for row in together}
    for alpha in (0.25, 1.0):
        of_points = [
            comparison.by(point.summary, "metric")[("psnr",)]["estimate"]
            for point in swept.points
            if point.overrides[ALPHA] == alpha
        ]
        row = own["psnr", (f"{alpha:g}",)]
        assert (row["trainings"], row["estimate"]) == (3, pytest.approx(np.mean(of_points)))
        assert row["std_seeds"] == pytest.approx(np.std(of_points, ddof=1))
        assert (row["low"], row["high"]) == pytest.approx(
            (row["estimate"] - row["std_seeds"], row["estimate"] + row["std_seeds"])
        )
    assert one.beside == ("alpha",) and not one.heats
    (line,) = next(chart for chart in one.charts if chart.metric == "PSNR").lines
    assert [x for x, _, _ in line.dots] == [0.0, 300.0]
    assert [(s.values, s.trainings) for s in one.seeds if s.metric == "PSNR"] == [(("0.25",), 3), (("1",), 3)]


def test_seeds_beside_two_keys_are_means_in_the_grid(tmp_path: Path) -> None:
    for alpha in (0.25, 1.0):
        for heat in (0.5, 2.0):
            for seed in (0, 1):
                overrides = {ALPHA: alpha, "m.inpaint.temperature": heat, PRIOR: seed}
                finish(tmp_path / "three", f"{alpha}-{heat}-{seed}", overrides, 20 + alpha + heat)
    (one,) = shown(tmp_path, {})
    assert one.beside == ("alpha", "temperature") and not one.charts
    assert {(len(grid.rows), len(grid.heads)) for grid in one.heats} == {(2, 2)}
