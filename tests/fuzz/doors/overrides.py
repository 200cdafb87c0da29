"""`-S key=value`: any text in the place of a key and of a value."""

import copy
import json
import math
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.fuzz.damage import ODD
from tests.fuzz.doors import params_files
from tests.fuzz.doors.params_files import PARAMS, inpaint, refuse_wrong, resolved
from tests.fuzz.verdict import Verdict

INPUTS, SAMPLE = 600, 25
WRONG = (
    "A key that params.yaml has not; a value that is not the one given, or that changes another key (told by the "
    "resolved params that lie beside the result); what a params file may not hold either."
)
WORDS = [
    "mean",
    "telea",
    "3",
    "1e3",
    "{",
    "[1,",
    "&a [*a]",
    "!!python/object:os.system x",
    "2024-13-01",
    "true",
    ".nan",
]
VALUES = st.one_of(
    ODD.filter(lambda value: not isinstance(value, float) or math.isfinite(value)).map(json.dumps),
    st.text(max_size=12),
    st.sampled_from(WORDS),
)
NO_KEYS = ["", ".", "methods", "methods..x", "methods.clasical", "radius", "methods.classical.inpaint.radius.x", "-S"]


def keys(values: Any, above: str = "") -> list[str]:
    """All dotted keys."""
    own = values.items() if isinstance(values, dict) else ()
    return [one for key, value in own for one in (f"{above}{key}", *keys(value, f"{above}{key}."))]


def prepare() -> None:
    params_files.prepare()
    Path("params.yaml").write_text(json.dumps(PARAMS))


def hostile() -> st.SearchStrategy[str]:
    read = [key for key in keys(PARAMS) if key.startswith("methods.classical.inpaint")]
    key = st.one_of(st.sampled_from(keys(PARAMS)), st.sampled_from(read), st.sampled_from(NO_KEYS), st.text(max_size=8))
    return st.builds(
        lambda key, equals, value: key + equals + value, key, st.sampled_from(["=", "=", "=", "=="]), VALUES
    )


def knock(given: str) -> Verdict:
    key, _, text = given.partition("=")
    verdict = inpaint(["-S", given], ["-S", "params", key] if key else ["-S"])
    if verdict.accepted:
        assert key in keys(PARAMS), "a key that is none is accepted"
        refuse_wrong()
        assert resolved() == _with(key, text)
    return verdict


def _with(key: str, text: str) -> dict[str, Any]:
    """The params with that value, and nothing else changed."""
    values = copy.deepcopy(PARAMS)
    *above, leaf = key.split(".")
    block = values
    for name in above:
        block = block[name]
    try:
        block[leaf] = YAML(typ="safe").load(text)
    except (YAMLError, ValueError) as error:
        raise AssertionError("a text that is no YAML is accepted") from error
    return values
