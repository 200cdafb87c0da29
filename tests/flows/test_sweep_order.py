"""What waits for what in a sweep: what is shared is made once, and nobody waits for more."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import graph, sweep_work
from flows.results import Results
from flows.sweep_order import Job, plan, unfinished
from flows.sweep_spec import SweepRequest
from tests.flows import toy

work = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("uvwxyz"), unique=True))


def behind(jobs: list[Job]) -> dict[str, set[str]]:
    """Job -> all that has ended before it begins."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        found[job.name] = set(job.after).union(*(found[other] for other in job.after))  # KeyError: begun too late
    return found


@given(work, st.sets(st.sampled_from("uvwxyz")))
def test_nothing_is_made_twice_and_no_point_waits_for_a_point(given_work, made):
    needs = {point: {digest: digest for digest in digests} for point, digests in given_work.items()}
    jobs = plan(needs, made)
    points = [job for job in jobs if not job.stages]
    assert [job.name for job in points] == list(needs)
    ended, makes = behind(jobs), {job.name: set(job.stages) for job in jobs if job.stages}
    for point in points:
        before = set().union(*(makes[name] for name in ended[point.name]))
        shared = {one for one in needs[point.name] for other in needs if other != point.name and one in needs[other]}
        assert before == shared - made  # all that others need too, and nothing that it does not need
        makes[point.name] = set(needs[point.name]) - before - made
    every = [one for own in makes.values() for one in own]
    assert sorted(every) == sorted(set(every))
    for job in jobs[: len(jobs) - len(points)]:
        assert set(job.stages) <= set(needs[job.point])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.make(tmp_path_factory.mktemp("order") / "toy")


def test_points_wait_for_the_parts_that_they_share_and_not_for_each_other(project: Path) -> None:
    spec = SweepRequest("grid").resolve((project / "params.yaml").read_text(), graph.read(project))
    found = unfinished(project, sweep_work.needed(project, spec), Results(project, "grid"), "commit")
    everyone, one, two, *points = found
    assert [job.stages for job in (everyone, one, two)] == [("toy@other",), ("toy@train",), ("toy@train",)]
    assert (one.point, two.point) == ("rate=1,heat=0.5", "rate=2,heat=0.5")
    assert one.after == two.after == (everyone.name,)
    own = {job.name: job.after for job in points}
    assert own == {name: (everyone.name, (one if "rate=1" in name else two).name) for name in spec.points}
