"""Figures of sweeps: a paper's where its values are there, in its order; every other sweep's own, and none twice."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from stages.pages.figures import named
from stages.pages.figures.figure import Figure
from tests.pages import sampled
from tests.sampling import toy

FEATURES, SCOPE = "methods.dsi.decoder.attention.features", "methods.dsi.decoder.attention.scope"
LOSSES, KIND = "methods.dsi.decoder.feature_losses", "methods.latent_codes.encoder.kind"
ATTENTION = [{FEATURES: one, SCOPE: other} for one, other in product(("structural", "learned"), ("full", "cross"))]
ALL_LOSSES = ("both", "none", "perceptual_style", "structure", "texture")
PAPERS = {
    "001 F5": (ATTENTION, ["learned, cross", "learned, full", "structural, cross", "structural, full"]),
    "001 F6": ([{LOSSES: one} for one in ALL_LOSSES], ["none", "structure", "texture", "both", "perceptual style"]),
    "000 F14": ([{KIND: one} for one in ("vanilla", "restrictive", "miracle")], ["miracle", "restrictive", "vanilla"]),
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    with toy.inside(toy.make(tmp_path)):
        yield tmp_path


def figures(points: list[dict[str, Any]]) -> list[Figure]:
    """Of a sweep with these points, and nothing else."""
    finished = sampled.complete("noise", toy.Noise(), samples=1)
    for overrides in points:
        sampled.keep("swept", overrides, finished)
    return named.find([sampled.read()])[0]


@pytest.mark.parametrize("name", PAPERS)
def test_a_sweep_with_a_papers_values_is_its_figure_in_its_order_and_no_other(project: Path, name: str) -> None:
    points, heads = PAPERS[name]
    (figure,) = figures(points)
    assert figure.title.startswith(f"{name}: ") and figure.heads == ("given", *heads, "original")
    assert [len(row) for _, row in figure.rows] == [len(figure.heads)] * 2


@pytest.mark.parametrize(
    ("name", "lacking"), [(name, i) for name, (points, _) in PAPERS.items() for i in range(len(points))]
)
def test_with_a_point_less_it_is_a_sweep_as_any_other(project: Path, name: str, lacking: int) -> None:
    points = PAPERS[name][0]
    (figure,) = figures(points[:lacking] + points[lacking + 1 :])
    stays = points[lacking].get(KIND) == "vanilla"  # which the paper's figure does not need
    assert figure.title.startswith(f"{name}: " if stays else "sweep swept: ")


def test_one_of_two_keys_alone_is_not_the_figure_of_both(project: Path) -> None:
    (figure,) = figures([{FEATURES: one, SCOPE: "full"} for one in ("learned", "structural")])
    assert figure.title == "sweep swept: noise on centre"
