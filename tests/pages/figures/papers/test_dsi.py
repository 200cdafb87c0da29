"""Paper 001's figures: structures beside their completions, there when the pictures are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.images.pixels import to_uint8
from stages.pages.embed import picture
from stages.pages.figures import named
from stages.pages.figures.figure import IMAGES
from stages.pages.figures.papers import dsi
from stages.project.seeds import derive
from tests.pages import sampled
from tests.sampling import toy


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    with toy.inside(toy.make(tmp_path)):
        yield tmp_path


def test_every_structure_stands_beside_the_completion_after_it(project: Path) -> None:
    finished, testset = sampled.complete("dsi", toy.Structured(pictured=4)), sampled.read()
    (figure,) = dsi.structures(testset, "001 F1")
    pairs = [f"{word} {k}" for k in (1, 2, 3, 4) for word in ("structure", "completion")]
    assert figure.heads == ("given", *pairs, "original") and figure.title.startswith("001 F1: ")
    assert len(figure.rows) == IMAGES
    for key, row in figure.rows:
        done_KHWC = testset.composited(finished.raw_KHWC(key), key)
        for k in range(4):
            codes_HW = toy.codes(derive(0, key, k))
            drawn_HWC = to_uint8(toy.structure(codes_HW[None]))[0].numpy()
            assert row[1 + 2 * k] == picture(drawn_HWC, f"{key}: structure {k + 1}")
            assert row[2 + 2 * k] == picture(done_KHWC[k], f"{key}: completion {k + 1}")


@pytest.mark.parametrize("pictured", [1, 2])
def test_there_are_as_many_structures_as_were_pictured(project: Path, pictured: int) -> None:
    sampled.complete("dsi", toy.Structured(pictured))
    (figure,) = dsi.structures(sampled.read(), "001 F1")
    assert len(figure.heads) == 2 + 2 * pictured and all(len(row) == len(figure.heads) for _, row in figure.rows)


def test_a_method_without_structures_fills_no_figure_and_it_is_waited_for(project: Path) -> None:
    sampled.complete("noise", toy.Noise())
    sampled.complete("unpictured", toy.Structured())
    testset = sampled.read()
    assert list(dsi.structures(testset, "001 F1")) == []
    figures, awaited = named.find([testset])
    assert {"001 F1", "001 F5", "001 F6"} <= {one.name for one in awaited} and not figures
