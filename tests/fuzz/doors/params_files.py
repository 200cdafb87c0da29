"""params.yaml: keys and values altered, and its text damaged."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

from stages.images.files import write_png
from tests.fuzz.damage import altered, damaged
from tests.fuzz.doors.images import OUTPUT, hole, picture
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 500, 20
WRONG = (
    "An unknown key in the block that is read; a block that is none; an algorithm that is not one of the four, a "
    "radius that is no finite number (true is none); resolved params beside the result that are not the file's."
)
PARAMS: dict[str, Any] = {
    "data": {"dataset": "d"},
    "datasets": {"d": {"layout": "folder", "root": "pictures", "size": 16}},
    "masks": {"none": None, "centre": {"generator": "box", "side": 0.5}},
    "methods": {"classical": {"inpaint": {"algorithm": "mean", "radius": 3.0, "variants": {"far": {"radius": 9.0}}}}},
    "testsets": {"t": {"masks": "centre", "samples": 2}},
    "protocols": {"p": {"testset": "t", "composite": True, "selection": "all", "metrics": ["psnr"]}},
    "sweeps": {"radius": {"grid": {"methods.classical.inpaint.radius": [1.0, 3.0]}}},
}
BLOCKS = ("data", "datasets", "masks", "methods", "testsets", "protocols", "sweeps")
RESOLVED = OUTPUT.with_suffix(".params.yaml")


def prepare() -> None:
    write_png(Path("i.png"), picture())
    write_png(Path("m.png"), hole().astype("uint8") * 255)


def hostile() -> st.SearchStrategy[bytes]:
    text = json.dumps(PARAMS, indent=1).encode()
    return st.one_of(altered(PARAMS).map(lambda found: json.dumps(found[0]).encode()), damaged([text]))


def knock(given: bytes) -> Verdict:
    Path("params.yaml").write_bytes(given)
    verdict = inpaint([], ["params", "classical"])
    if verdict.accepted:
        refuse_wrong()
        assert _same(resolved(), YAML(typ="safe").load(given.decode()))
    return verdict


def inpaint(words: Sequence[str], named: Sequence[str]) -> Verdict:
    """The picture completed with these words beside."""
    for path in (OUTPUT, RESOLVED):
        path.unlink(missing_ok=True)
    files = ["--image", "i.png", "--mask", "m.png", "--output", str(OUTPUT)]
    verdict = of_verb("inpaint", ["--method", "classical", *files, *words], named)
    refuse_halves()
    assert verdict.accepted == OUTPUT.exists()
    return verdict


def resolved() -> Any:
    """The params that the result was made with."""
    return YAML(typ="safe").load(RESOLVED.read_text())


def refuse_wrong() -> None:
    """AssertionError where these params should have been refused."""
    values = resolved()
    assert all(isinstance(values.get(name, {}), dict) for name in BLOCKS)
    block = values["methods"]["classical"]["inpaint"]
    assert set(block) <= {"algorithm", "radius", "variants"}, "an unknown key is accepted"
    assert block.get("algorithm", "mean") in {"mean", "telea", "navier_stokes", "biharmonic"}
    radius = block.get("radius", 3.0)
    assert not isinstance(radius, bool) and math.isfinite(float(radius)), f"{radius!r} is no number"


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, default=str) == json.dumps(other, default=str)
