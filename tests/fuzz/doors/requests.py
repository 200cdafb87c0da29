"""Prefect's parameters and `sweeps` of params.yaml: what a form, an API or a file asks a sweep for."""

import json
import logging
import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from prefect.exceptions import ParameterTypeError
from ruamel.yaml import YAML

from flows import names, overrides
from flows.errors import InvalidRequest
from flows.graph import Stage
from flows.search_spec import Search
from flows.study import Study
from flows.sweep import sweep
from flows.sweep_spec import SweepRequest, SweepSpec
from tests.fuzz.damage import ODD, altered
from tests.fuzz.doors import params_files
from tests.fuzz.doors.overrides import keys
from tests.fuzz.verdict import Verdict, of_call

INPUTS, SAMPLE = 3200, 60
WRONG = (
    "A sweep or a point whose name is no file's; two points of one name; a key that is no single value of "
    "params.yaml; a value that YAML or JSON cannot hold; a method that has no stage; params of a point that are not "
    "params.yaml with its values, and nothing else (told by reading them again)."
)
STEPS = 50
METHODS = {**params_files.PARAMS["methods"], "trained": {"part": {"loop": {"seed": 0, "steps": STEPS}}}}
PARAMS = {**params_files.PARAMS, "methods": METHODS}
GRAPH = {name: Stage(name, "cpu", (), (), "") for name in map("benchmark@{}".format, METHODS)}
ASKED = {
    "name": "radius",
    "grid": {"methods.classical.inpaint.radius": [1.0, 3.0], "methods.classical.inpaint.algorithm": ["mean", "telea"]},
    "points": [{"testsets.t.samples": 2}, {"testsets.t.samples": 3, "data.dataset": "d"}],
    "methods": ["classical", "trained"],
    "seeds": 2,
    "anew": False,
}
SEARCH = {
    "over": {
        "methods.classical.inpaint.radius": {"low": 1.0, "high": 9.0, "log": True},
        "methods.classical.inpaint.algorithm": ["mean", "telea"],
    },
    "points": 4,
    "goal": {"protocol": "p", "metric": "psnr"},
    "by": "tpe",
    "seed": 0,
    "together": 2,
}
STOP = {"part": "part", "curve": "nll", "after": 5, "better": "lower", "factor": 3}
NAMED = ("sweep", "params.yaml", "dvc.yaml")
KEYS = st.sampled_from([*keys(PARAMS), "", ".", "methods.", "no.such", "a\nb"])


def prepare() -> None:
    """Nothing lies beside; Prefect's own lines on what it refuses are not shown."""
    logging.getLogger("prefect.flows").setLevel(logging.CRITICAL)


@st.composite
def hostile(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flow's parameters, and params.yaml."""
    asked, params = ASKED, PARAMS
    kind = draw(st.sampled_from(["altered", "grid", "points", "file", "search"]))
    if kind == "file":
        block = {
            name: ASKED[name] for name in draw(st.sampled_from([("grid",), ("points",), ("seeds",), tuple(ASKED)[1:5]]))
        }
        return {"name": "radius"}, {**PARAMS, "sweeps": draw(altered({"radius": block}))[0]}
    if kind == "search":
        block = draw(st.sampled_from([SEARCH, {**SEARCH, "over": draw(RANGES)}, {**SEARCH, "stop": STOP}]))
        asked = {"name": "new", "methods": ["trained" if "stop" in block else "classical"], "search": block}
        for _ in range(draw(st.integers(0, 2))):
            asked = draw(altered(asked))[0]
        return asked, params
    if kind == "altered":
        for _ in range(draw(st.integers(1, 3))):
            asked = draw(altered(asked))[0]
    elif kind == "grid":
        asked = {"name": draw(NAMES), "grid": draw(st.dictionaries(KEYS, st.lists(ODD, max_size=3), max_size=3))}
    else:
        asked = {"name": draw(NAMES), "points": draw(st.lists(st.dictionaries(KEYS, ODD, max_size=2), max_size=3))}
    return asked, params


NAMES = st.one_of(
    st.sampled_from(["radius", "new", "../x", ".x", "x.lock", "a b", "", "-x", "x" * 49]), st.text(max_size=6)
)


ENDS = st.one_of(ODD, st.floats(), st.integers())
RANGE = st.fixed_dictionaries({"low": ENDS, "high": ENDS}, optional={"log": st.one_of(st.booleans(), ODD)})
RANGES = st.dictionaries(KEYS, st.one_of(RANGE, st.lists(ODD, max_size=3)), max_size=3)


def knock(given: tuple[dict[str, Any], dict[str, Any]]) -> Verdict:
    asked, params = given
    text = json.dumps(params, ensure_ascii=False)
    try:
        validated = sweep.validate_parameters(asked)
    except (ParameterTypeError, TypeError) as error:  # Prefect's own: the form shows it at the field
        return Verdict(False, f"Prefect: {type(error).__name__}")
    wanted = {name: validated.get(name) for name in ("grid", "points", "methods", "seeds", "search")}
    request = SweepRequest(validated["name"], **wanted)
    verdict, spec = of_call(lambda: request.resolve(text, GRAPH), InvalidRequest, NAMED)
    if spec is not None:
        _refuse_wrong(spec, text)
    return verdict


def _refuse_wrong(spec: SweepSpec, params: str) -> None:
    names.check_sweep(spec.name)
    assert spec.points and set(spec.methods) <= set(METHODS)
    for name, point in spec.points.items():
        names.check_point(name)
        _refuse_wrong_point(point, params)
    if spec.search:
        _refuse_wrong_search(spec.search)


def _refuse_wrong_search(search: Search) -> None:
    """Its first points are asked for indeed, and lie in its ranges."""
    with tempfile.TemporaryDirectory() as folder:
        points = Study(Path(folder) / "study", search).ask(min(search.points, 2))
    assert len(points) == min(search.points, 2)
    if stop := search.stop:
        assert isinstance(stop.curve, str) and stop.better in ("lower", "higher")
        assert (stop.part, 0 < stop.after < STEPS, stop.factor >= 2) == ("part", True, True)
    for key, one in search.over.items():
        for value in (point[key] for point in points.values()):
            assert value in one if isinstance(one, list) else one.low <= value <= one.high


def _refuse_wrong_point(point: dict[str, Any], params: str) -> None:
    assert point and all(_is_plain(value) for value in point.values())
    expected = YAML(typ="safe").load(params)
    for key, value in point.items():
        *above, leaf = key.split(".")
        block = expected
        for name in above:
            block = block[name]
        assert not isinstance(block[leaf], dict)
        block[leaf] = value
    assert json.dumps(YAML(typ="safe").load(overrides.overridden(params, point))) == json.dumps(expected)
    assert json.loads(json.dumps(point)) == point


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
