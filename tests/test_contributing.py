"""CONTRIBUTING's tree and word list are those of the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
TREE = TEXT.partition("## The house\n```\n")[2].partition("```")[0]
WORDS = TEXT.partition("## Words\n")[2].partition("\n## ")[0]
CODE = {p: p.read_text() for room in ("stages", "flows") for p in sorted((ROOT / room).rglob("*.py"))}
# names that the field has better ones for
GONE = (
    "Opened", "open_draw", "Tools", "Workbench", "Sketchbook", "descend", "Keeper", "Feed", "Journal", "Average",
    "MaskLaw", "View", "Axes", "OverSet", "OnSubsets", "Compared", "Collected", "Learnt", "Made", "Peeks", "Plate",
    "Kept",
)  # fmt: skip


def test_the_tree_names_every_room_and_no_other():
    below = TREE.partition("stages/\n")[2].partition("\ndata/")[0]
    rooms = {room for line in below.splitlines() for room in re.findall(r"([a-z]+)/", line[:27])}
    there = {p.name for p in (ROOT / "stages").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms == there
    verbs = set(re.findall(r"(\w+)\.py", below.splitlines()[0] + below.splitlines()[1]))
    assert verbs == {p.stem for p in (ROOT / "stages").glob("*.py")} - {"__init__"}


def test_every_name_of_the_word_list_is_in_the_code():
    names = set(re.findall(r"`([A-Z]\w+)`", WORDS))
    assert len(names) >= 8
    for name in names:
        assert any(re.search(rf"\bclass {name}\b", text) for text in CODE.values()), name


@pytest.mark.parametrize("name", GONE)
def test_a_word_that_was_given_up_is_gone(name):
    found = [str(p.relative_to(ROOT)) for p, text in CODE.items() if re.search(rf"\b(class|def) {name}\b", text)]
    assert not found


def test_every_file_that_a_text_names_is_there():
    """Docstrings, comments and guides lead to files by their paths."""
    texts = {**CODE, **{p: p.read_text() for p in (ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "dvc.yaml")}}
    for path, text in texts.items():
        for named in re.findall(r"\b(?:stages|tests|flows)/[\w/]+\.py", text):
            assert (ROOT / named).is_file(), f"{path.name}: {named}"
