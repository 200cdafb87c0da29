"""Paper 002's figures: the project's own sweeps fill them, and each column is what its heading says."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from stages.evaluation.protocols import Card
from stages.evaluation.sweeps import points
from stages.evaluation.sweeps.points import Sweep
from stages.pages import page
from stages.pages.embed import Picture, picture
from stages.pages.figures import named
from stages.pages.figures.figure import Figure
from stages.pages.figures.papers import mm_invertfill
from stages.pages.found import Found
from stages.pages.labels import number
from stages.pages.tables import scores
from stages.project import paths, tables
from stages.sampling.store import SampleStore
from tests.evaluation.sweeps.made import CARD, finish
from tests.pages import sampled
from tests.sampling import toy

ROOT = Path(__file__).resolve().parents[4]
SWEEPS = YAML(typ="safe").load(ROOT / "presets" / "photographs.yaml")["sweeps"]
COMPARED = ["pSp, raw", "pSp", "pSp, blended", "InvertFill", "MMT", "MMInvertFill, raw", "MMInvertFill"]
GUIDED = ["neither", "without segmentation", "without edges", "both", "both, biased", "both, of the truth"]
PLATES = {
    "002 F8": ("mm_comparators", COMPARED),
    "002 F11": ("mm_modules", ["without SML", "with SML"]),
    "002 F12": ("mm_modalities", GUIDED),
}
COMPARATORS = SWEEPS["mm_comparators"]["points"]
OURS, PSP, *_ = COMPARATORS


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    with toy.inside(toy.make(tmp_path)):
        yield tmp_path


def swept(sweep: str, overrides: Sequence[dict[str, Any]]) -> SampleStore:
    """A sweep with these points and nothing else: the samples that all of them kept."""
    finished = sampled.complete("noise", toy.Noise(), samples=1)
    for one in overrides:
        sampled.keep(sweep, one, finished)
    return finished


def figures() -> list[Figure]:
    return named.find([sampled.read()])[0]


def column(figure: Figure, head: str) -> list[Picture | None]:
    return [row[figure.heads.index(head)] for _, row in figure.rows]


@pytest.mark.parametrize("plate", PLATES)
def test_the_projects_own_sweep_is_the_papers_figure_and_no_point_is_left_out(project: Path, plate: str) -> None:
    sweep, heads = PLATES[plate]
    own = SWEEPS[sweep]["points"]
    swept(sweep, own)
    (figure,) = figures()
    assert figure.title.startswith(f"{plate}: ") and figure.title.endswith("noise on centre")
    assert figure.heads[: 1 + len(heads)] == ("given", *heads) and figure.heads[-1] == "original"
    twice = sum(head.endswith(", raw") for head in heads)
    assert len(figure.heads) == 2 + len(own) + twice
    assert [len(row) for _, row in figure.rows] == [len(figure.heads)] * 2


@pytest.mark.parametrize(
    ("plate", "lacking"), [("002 F8", i) for i in range(5)] + [("002 F11", i) for i in (0, 3)] + [("002 F12", 4)]
)
def test_with_a_point_less_it_is_a_sweep_as_any_other(project: Path, plate: str, lacking: int) -> None:
    sweep, own = PLATES[plate][0], SWEEPS[PLATES[plate][0]]["points"]
    swept(sweep, own[:lacking] + own[lacking + 1 :])
    (figure,) = figures()
    assert figure.title.startswith(f"sweep {sweep}: ")


def test_a_point_that_changes_another_key_too_is_not_the_named_one(project: Path) -> None:
    soft, _, _, static, *_ = SWEEPS["mm_modules"]["points"]
    swept("other", [soft, {**static, "methods.mm_invertfill.encoder.premodulation": False}])
    assert figures()[0].title.startswith("sweep other: ")


def test_raw_columns_are_raw_and_all_others_have_the_known_pixels_put_back(project: Path) -> None:
    finished = swept("mm_comparators", COMPARATORS)
    (figure,), testset = figures(), sampled.read()
    for head in COMPARED:
        for key, shown in zip((key for key, _ in figure.rows), column(figure, head), strict=True):
            raw_HWC = finished.raw_KHWC(key)[0]
            done_HWC = raw_HWC if head.endswith(", raw") else testset.composited(raw_HWC, key)
            assert shown == picture(done_HWC, f"{key}: {head}") and (raw_HWC != testset.composited(raw_HWC, key)).any()
    assert "but for what is raw" in figure.about


def score(own: dict[str, Any], rows: Sequence[tuple[str, str, str, float]], card: Card = CARD) -> None:
    """Adds values by entry, protocol and metric to the summary of a finished point of mm_comparators."""
    path = paths.sweeps() / "mm_comparators" / f"{','.join(map(str, own.values()))}.summary"
    told = {"card": card.signature(), "better": "lower", "low": float("nan"), "high": float("nan")}
    more = [dict(zip(("method", "protocol", "metric", "estimate"), row, strict=True)) | told for row in rows]
    tables.write(pd.concat([tables.read(path), pd.DataFrame(more)], ignore_index=True), path)


def test_the_seam_told_is_that_of_the_composited_completions_of_this_test_sets_holes(project: Path) -> None:
    finished = swept("mm_comparators", COMPARATORS)
    assert figures()[0].about.endswith("No protocol of these composited holes has the metric seam.")
    here = replace(CARD, mask_hash=finished.description["mask_hash"])
    for card, value in ((CARD, 7.0), (replace(here, composite=False), 8.0), (here, 3.25)):
        score(PSP, [("noise/other", "centre", "seam", 9.0), ("noise", "centre", "seam", value)], card)
    score(OURS, [("noise", "centre", "seam", 1.5)], here)
    assert figures()[0].about.endswith(": pSp 3.25; MMInvertFill 1.50.")


def ratios(overrides: Sequence[dict[str, Any]]) -> list[Sweep]:
    """A sweep whose point n scores n + ratio at holes of .2, .5 and .8; a variant, and raw output, score else."""
    for n, own in enumerate(overrides):
        finish(paths.sweeps() / "mm_comparators", ",".join(map(str, own.values())), own, 20.0, ("plain", "plain/other"))
        for holes, ratio in (("bin10-30", 0.2049), ("bin40-60", 0.5), ("bin70-90", 0.8)):
            for entry, protocol, value in (("plain", "", n + ratio), ("plain", "-raw", 8.0), ("plain/other", "", 9.0)):
                score(own, [(entry, f"p002-{holes}{protocol}", "hole_ratio", ratio)])
                score(own, [(entry, f"p002-{holes}{protocol}", "lpips_alex", value)])
    return points.read_all(paths.sweeps())


def test_a_metric_is_drawn_over_the_holes_mean_ratio_a_line_a_method(project: Path) -> None:
    (sweep,) = ratios(COMPARATORS)
    (chart,) = mm_invertfill.over_ratios(sweep)
    numbers = {"MMInvertFill": 0, "pSp": 1, "pSp, blended": 2, "InvertFill": 3, "MMT": 4}
    assert chart.parameter == "hole ratio" and {line.entry for line in chart.lines} == set(numbers)
    for line in chart.lines:
        told = [f"{number(numbers[line.entry] + ratio)} at {x}" for ratio, x in ((0.2049, 0.2), (0.5, 0.5), (0.8, 0.8))]
        assert [title for _, _, title in line.dots] == [f"{line.entry}: {one}" for one in told]
        assert [x for x, _, _ in line.dots] == [0.0, 150.0, 300.0]


@pytest.mark.parametrize("lacking", [0, 1])
def test_the_page_draws_it_or_tells_what_it_waits_for(project: Path, lacking: int) -> None:
    sweeps = ratios(COMPARATORS[: len(COMPARATORS) - lacking])
    nothing = scores.read(project / "nowhere")
    html = page.render(Found(project, nothing, [], [], [], "", [], of_project=True, sweeps=sweeps))
    title, awaited = "<h3>002 F9: inversion over three hole ratios</h3>", '<th scope="row">002 F9</th>'
    assert (title in html, awaited in html) == (not lacking, bool(lacking))
    assert html.count('over hole ratio on p002, composited"') == 1 - lacking


def test_out_of_domain_are_those_that_learnt_from_other_pictures_too(project: Path) -> None:
    own = sampled.complete("own", toy.Noise())
    assert list(mm_invertfill.out_of_domain(sampled.read(), "002 F10")) == []
    sampled.complete("floor", toy.Noise(), trained_on=())
    other = sampled.complete("mixed", toy.Structured(odd=own.description["seed"]), trained_on=("faces", "toy"))
    testset = sampled.read()
    (figure,) = mm_invertfill.out_of_domain(testset, "002 F10")
    assert figure.heads == ("given", "mixed", "original") and "mixed of faces and toy" in figure.about
    for key, (_, shown, _) in figure.rows:
        assert shown == picture(testset.composited(other.raw_KHWC(key)[0], key), f"{key}: mixed")


def test_without_label_maps_the_plate_of_modalities_says_so(project: Path) -> None:
    swept("mm_modalities", SWEEPS["mm_modalities"]["points"])
    assert "no label maps" in figures()[0].about
