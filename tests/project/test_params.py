"""params.yaml at the door: what is no text, no block or no name is one line that says where."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stages import contract
from stages.contract import UserError
from stages.project import names, params

GOOD = {
    "data": {"dataset": "faces"},
    "datasets": {"faces": {"layout": "folder"}},
    "masks": {"none": None, "box": {"generator": "box"}},
    "testsets": {"box": {"masks": "box"}},
    "protocols": {"box": {"testset": "box"}},
    "methods": {"classical": {"inpaint": {"algorithm": "mean", "variants": {"telea": {"algorithm": "telea"}}}}},
    "sweeps": {},
}
BLOCKS = {
    "datasets": ("datasets",),
    "masks": ("masks",),
    "testsets": ("testsets",),
    "protocols": ("protocols",),
    "methods.classical.inpaint.variants": ("methods", "classical", "inpaint", "variants"),
}


def written(path: Path, value: Any, *keys: Any) -> Path:
    """A params file like GOOD, `value` at those keys."""
    values = YAML(typ="safe").load(dumped(GOOD, path))
    here = values
    for key in keys[:-1]:
        here = here[key]
    here[keys[-1]] = value
    dumped(values, path)
    return path


def dumped(values: Any, path: Path) -> str:
    with path.open("w") as file:
        YAML(typ="safe").dump(values, file)
    return path.read_text()


def test_an_override_that_breaks_a_block_or_a_name_is_named_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "params.yaml", {}, "sweeps")
    assert refusal(path, "datasets=5").startswith("-S datasets=5: datasets is int '5'; it takes a block")
    assert "-S datasets={x;y: {}}: datasets: 'x;y' cannot be a name" in refusal(path, "datasets={x;y: {}}")


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as told:
        params.read(path, overrides)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("where", BLOCKS)
@pytest.mark.parametrize(
    "name",
    ["my faces", "x;y", "2024", 2024, 5, "5", "../x", "", "a/b", ".x", "-x", "$(y)", "é", "a\nb", None, "a" * 49],
)
def test_a_name_that_a_folder_a_key_or_a_shell_would_read_otherwise_is_refused(
    tmp_path: Path, where: str, name: Any
) -> None:
    told = refusal(written(tmp_path / "params.yaml", {}, *BLOCKS[where], name))
    assert f"params.yaml: {where}: {name!r} cannot be a name: begin with a letter" in told


def test_a_dot_is_for_variants_alone_which_are_no_key_of_dvcs(tmp_path: Path) -> None:
    for where, keys in BLOCKS.items():
        path = written(tmp_path / "params.yaml", {}, *keys, "v.2")
        if "variants" in where:
            params.read(path)
        else:
            assert f"{where}: 'v.2' cannot be a name" in refusal(path)


@given(st.text())
def test_whatever_passes_is_one_word_of_a_shell_and_one_part_of_a_path_and_of_a_key(name: str) -> None:
    import shlex

    try:
        names.check(name, "")
    except UserError:
        return
    assert shlex.quote(name) == name and Path(name).name == name and not name.startswith("-")
    assert "." not in name and YAML(typ="safe").load(f"{name}: 1") in ({name: 1}, {None: 1}, {True: 1}, {False: 1})


def test_the_presets_names_are_names() -> None:
    root = Path(__file__).resolve().parents[2]
    for path in root.glob("presets/*.yaml"):
        assert params.load(path)
    params.read(root / "params.yaml")


@pytest.mark.parametrize("value", [None, 5, "text", [1], True])
@pytest.mark.parametrize(
    "keys",
    [
        ("data",),
        ("datasets",),
        ("datasets", "faces"),
        ("testsets",),
        ("testsets", "box"),
        ("protocols",),
        ("protocols", "box"),
        ("methods",),
        ("methods", "classical"),
        ("methods", "classical", "inpaint"),
        ("sweeps",),
    ],
)
def test_what_is_no_block_is_named_with_its_key(tmp_path: Path, keys: tuple[str, ...], value: Any) -> None:
    told = refusal(written(tmp_path / "params.yaml", value, *keys))
    assert f"params.yaml: {'.'.join(keys)} is " in told and "takes a block of keys" in told


def test_null_stands_where_it_means_something(tmp_path: Path) -> None:
    for keys in (("masks", "none"), BLOCKS["methods.classical.inpaint.variants"]):
        assert params.read(written(tmp_path / "params.yaml", None, *keys))


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"- 1\n", b"text\n", b"\xff\xfea\x00", "a: é".encode("latin-1")])
def test_a_file_without_keys_or_of_another_encoding_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(data)
    assert str(path) in refusal(path)


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xef\xbb\xbfdata: {dataset: x}\n")
    assert params.read(path) == {"data": {"dataset": "x"}}


@pytest.mark.parametrize(
    "override",
    [
        "data.dataset",
        "=5",
        "",
        "data.dataset=[",
        "data.dataset=2024-13-45",
        "data.dataset=a: b: c",
        "data.dataset=!!python/object:os.system x",
        "data.dataset=\udcff",
        "data.dataset=\x00",
        "data.dataset=" + "[" * 5000,
        "data.=5",
        ".dataset=5",
        "data.dataset.deeper=5",
        "data.dataset.0=5",
        "datasets=5",
        "datasets={x;y: {}}",
        "datasets.faces=",
        "methods.classical.inpaint.variants=[1]",
    ],
)
def test_a_malformed_override_is_one_line(tmp_path: Path, override: str) -> None:
    """The line names the override, or the key of the file that is not there."""
    path = written(tmp_path / "params.yaml", {}, "sweeps")
    assert refusal(path, override).startswith((f"-S {override}: ", f"{path}: no key {override.partition('=')[0]}"))


@given(st.text(alphabet="dat.se=[]{}:,&*!|>'\"#%@-? \n0a\\", max_size=30))
def test_no_override_is_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "params.yaml"
    written(path, {}, "sweeps")
    for override in (text, f"data.dataset={text}"):
        try:
            params.read(path, [override])
        except UserError as told:
            assert str(told)


@pytest.mark.parametrize("text", ["&a [*a]", "{b: &a {c: [*a]}}"])
def test_a_value_that_holds_itself_is_one_line(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "params.yaml", {}, "sweeps")
    assert "holds itself" in refusal(path, f"data.dataset={text}")
    path.write_text(path.read_text() + f"more: {text}\n")
    assert refusal(path).startswith(f"{path}: not readable as YAML: a value that holds itself")


def test_a_value_that_stands_in_two_places_is_no_endless_one(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("one: &a [1, 2]\ntwo: [*a, *a]\n")
    assert params.read(tmp_path / "params.yaml") == {"one": [1, 2], "two": [[1, 2], [1, 2]]}


class Numbers(contract.Params):
    """Keys of every kind that a number or a truth can stand in."""

    count: int | None = None
    share: float = 0.5
    several: tuple[float, ...] = ()
    flag: bool = False
    either: bool | int = 0


@pytest.mark.parametrize(
    ("key", "value"),
    [("count", True), ("share", False), ("share", math.nan), ("share", math.inf), ("several", [-math.inf])],
)
def test_truths_and_what_is_not_finite_are_no_numbers(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"params: b\.{key}.* = "):
        params.validate(Numbers, {key: value}, "b")


def test_truths_are_truths() -> None:
    found = params.validate(Numbers, {"count": 3, "share": 1, "flag": True, "either": True}, "b")
    assert (found.count, found.share, found.flag, found.either) == (3, 1.0, True, True)
