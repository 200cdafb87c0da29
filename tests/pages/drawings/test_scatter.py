"""The scatter: what is drawn is what the numbers say."""

from hypothesis import given
from hypothesis import strategies as st

from stages.pages.drawings import scatter
from stages.pages.tables.compare import compare
from tests.pages.made import row, scores

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8)


@given(POINTS)
def test_every_point_off_the_front_is_beaten_by_one_on_it(points: list[tuple[int, int]]) -> None:
    front = scatter.pareto(points)
    assert front
    for i, (x, y) in enumerate(points):
        beaten = [j for j in front if points[j] != (x, y) and points[j][0] >= x and points[j][1] >= y]
        assert (i in front) != bool(beaten)


@given(st.lists(st.tuples(st.floats(0, 460), st.floats(0, 300)), max_size=8))
def test_no_label_lies_on_another(spots: list[tuple[float, float]]) -> None:
    heights = scatter.spread([(x, y, "entry") for x, y in spots])
    for i, a in enumerate(heights):
        assert a >= spots[i][1]
        sides = [x > scatter.LEFTWARDS * scatter.WIDTH for x, _ in spots]
        near = [j for j in range(i) if sides[j] == sides[i] and abs(spots[j][0] - spots[i][0]) < 20]
        assert all(abs(heights[j] - a) > scatter.APART - 1e-6 for j in near)


def test_better_is_up_whichever_way_the_metric_counts() -> None:
    told = scores(
        *(
            row(entry, metric, value, better)
            for entry, lpips, diversity in (("good", 0.1, 0.2), ("bad", 0.9, 0.1))
            for metric, value, better in (("lpips_alex", lpips, "lower"), ("diversity_pixel", diversity, "higher"))
        )
    )
    (table,) = compare(told)
    drawn = scatter.draw(told.summary, table)
    assert drawn is not None
    dots = {dot.entry: dot for dot in drawn.dots}
    assert dots["good"].y < dots["bad"].y and dots["good"].x > dots["bad"].x
    assert dots["good"].front and not dots["bad"].front
