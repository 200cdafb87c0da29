"""What points compute, by DVC's own reading of dvc.yaml: a key that nothing reads is told, and nothing touched."""

from pathlib import Path

import pytest

from flows import graph, sweep_work
from flows.errors import InvalidRequest
from flows.sweep import sweep
from flows.sweep_spec import SweepRequest, SweepSpec
from tests.flows import toy

RATE, HEAT, GOOD = "methods.toy.train.rate", "methods.toy.inpaint.heat", "methods.rival.inpaint.good"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.make(tmp_path_factory.mktemp("work") / "toy")


def resolved(project: Path, request: SweepRequest) -> SweepSpec:
    return request.resolve((project / "params.yaml").read_text(), graph.read(project))


def test_points_share_the_work_that_their_keys_leave_alone(project: Path) -> None:
    work = sweep_work.needed(project, resolved(project, SweepRequest("grid")))
    learnt = {name: set(own.digests) for name, own in work.items()}
    assert len(learnt["rate=1,heat=0.5"] & learnt["rate=1,heat=1.0"]) == 2  # both parts; samples and scores are its own
    assert len(learnt["rate=1,heat=0.5"] & learnt["rate=2,heat=0.5"]) == 1  # the part without a rate


@pytest.mark.parametrize("value", [[[1, 2], [2, 1]], [None, 1.0]])
def test_lists_and_nulls_are_other_work(project: Path, value: list[object]) -> None:
    first, second = sweep_work.needed(project, resolved(project, SweepRequest("x", {HEAT: value}))).values()
    assert len(set(first.digests) & set(second.digests)) == 2


@pytest.mark.parametrize(
    "request_",
    [
        SweepRequest("x", {HEAT: [1.0, 2.0]}, methods=["rival"]),
        SweepRequest("x", {HEAT: [1.0, 2.0], GOOD: [True, False]}, methods=["rival"]),
        SweepRequest("x", points=[{GOOD: True}, {GOOD: True, HEAT: 2.0}], methods=["rival"]),
    ],
)
def test_a_key_that_no_chosen_method_reads_is_told(project: Path, request_: SweepRequest) -> None:
    with pytest.raises(InvalidRequest) as refused:
        sweep_work.needed(project, resolved(project, request_))
    line = str(refused.value)
    assert line.startswith(f"sweep: {HEAT}: nothing behind the scores of rival reads it, so that ") and "\n" not in line


def test_points_that_say_what_params_yaml_says_anyway_are_no_mistake(project: Path) -> None:
    points = [{RATE: 1}, {HEAT: 1.0}, {RATE: 2}]
    first, second, third = sweep_work.needed(project, resolved(project, SweepRequest("x", points=points))).values()
    assert first == second != third


def test_a_value_that_dvc_yaml_cannot_take_is_one_line(project: Path) -> None:
    pipeline = project / "dvc.yaml"
    before = pipeline.read_text()
    pipeline.write_text(before.replace("work.py report all", "work.py report ${methods.rival.inpaint.good}"))
    with pytest.raises(InvalidRequest, match=r"^sweep: good=1\+2: dvc.yaml cannot take it: .*") as refused:
        sweep_work.needed(project, resolved(project, SweepRequest("x", {GOOD: [[1, 2]]})))
    pipeline.write_text(before)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "", "grid": {HEAT: [1.0]}}, {"name": "..", "grid": {HEAT: [1.0]}, "anew": True},
        {"name": "kept", "grid": {HEAT: [1.0, 2.0]}, "methods": ["rival"], "anew": True},
        {"name": "kept", "grid": {"methods.toy.inpaint.haet": [1.0]}, "anew": True},
    ],
)  # fmt: skip
def test_what_is_refused_touches_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, object]
) -> None:
    folder = project / "reports" / "sweeps"
    for path in (folder / "kept.json", folder / "kept" / "heat=9.json", folder / "other" / "heat=9.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.chdir(project)
    with pytest.raises(InvalidRequest):
        sweep.fn(**given)  # type: ignore[arg-type]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_projects_own_sweeps_turn_what_is_read() -> None:
    text = (toy.ROOT / "params.yaml").read_text()
    known = graph.read(toy.ROOT)
    kernels = {"methods.latent_codes.vq.multipliers": [[1, 2], [1, 2, 4]]}
    for request in (SweepRequest("encoder"), SweepRequest("kernels", kernels)):
        spec = request.resolve(text, known)
        assert list(sweep_work.needed(toy.ROOT, spec)) == list(spec.points)
