"""What waits for what in a sweep: what is shared is made once, and nobody waits for more."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import graph, sweep_work
from flows.graph import Stage
from flows.results import Results
from flows.sweep_order import Job, in_parts, plan, unfinished
from flows.sweep_spec import SweepRequest
from flows.sweep_work import Work
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


CHAIN = ("shard", "train", "sample", "benchmark")  # each needs the one before; the last two divide
KNOWN = {
    name: Stage(name, "gpu", CHAIN[max(n - 1, 0) : n], (), "", divides=n > 1) for n, name in enumerate(CHAIN)
}  # fmt: skip


def jobs_in_two(points: str, made: set[str]) -> list[Job]:
    """Of points that share their shards and nothing else."""
    digests = {point: {name if name == "shard" else f"{name} {point}": name for name in CHAIN} for point in points}
    work = {point: Work(own, {}, KNOWN) for point, own in digests.items()}
    return in_parts(plan(digests, made), work, made, parts=2)


def test_a_points_parts_come_behind_what_they_need_and_before_the_point() -> None:
    shards, *others = jobs_in_two("ab", set())
    assert (shards.stages, shards.after, len(others)) == (("shard",), (), 2 * 6)
    for point, own in (("a", others[:6]), ("b", others[6:])):
        trained, parts = own[0], own[1:5]
        assert trained.stages == ("train",) and trained.after == (shards.name,) and trained.place == trained.name
        named = ["sample 1/2", "sample 2/2", "benchmark 1/2", "benchmark 2/2"]
        assert [one.name for one in parts] == [f"{point} {name}" for name in named]
        assert [f"{one.stages[0]} {one.part}" for one in parts] == named
        assert {one.place for one in parts} == {own[5].place} == {point}
        before = (shards.name, trained.name)
        assert [one.after for one in parts[:2]] == [before] * 2
        samples = (*before, parts[0].name, parts[1].name)
        assert [one.after for one in parts[2:]] == [samples] * 2
        assert own[5].after == (*samples, parts[2].name, parts[3].name) and not own[5].stages


def test_what_points_share_is_in_parts_too() -> None:
    work = {point: Work({name: name for name in CHAIN}, {}, KNOWN) for point in "ab"}
    jobs = in_parts(plan({point: one.digests for point, one in work.items()}, set()), work, set(), parts=2)
    *before, shared, a, b = jobs
    assert [one.stages[0] for one in before if not one.part] == ["shard"] and before[0].stages == ("shard", "train")
    assert [one.place for one in before[1:]] == [shared.name] * 4 and shared.stages == CHAIN
    assert shared.after == tuple(one.name for one in before)
    assert (a, b) == (Job("a", "a", after=(shared.name,)), Job("b", "b", after=(shared.name,)))


def test_what_is_made_is_in_no_parts() -> None:
    assert jobs_in_two("a", {"shard", "train a", "sample a", "benchmark a"}) == [Job("a", "a")]
    names = [job.name for job in jobs_in_two("a", {"shard", "train a", "sample a"})]
    assert names == ["a benchmark 1/2", "a benchmark 2/2", "a"]
