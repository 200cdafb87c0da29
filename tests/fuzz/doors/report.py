"""`plurifill report`: texts from outside in what it reads (names, reasons, keys, params), as markup or as text."""

import json
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from stages import benchmark, report, sample
from stages.project import tables
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves
from tests.sampling import toy

INPUTS, SAMPLE = 30, 2
WRONG = (
    "Markup that was text: another number of scripts, pictures or handlers in the page or the explorer than without "
    "the text, or a script that is left early; a line more in the tables' markdown or LaTeX; a text that the page "
    "does not show."
)
SCORES, STORE, SHARDS = Path("reports/scores"), Path("data/samples/classical/few/mean"), Path("data/shards/toy")
TEXTS = st.one_of(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "\"><img src=x onerror='alert(1)'>",
            "</script><script>alert(1)//",
            "<!--",
            "'\"&<>",
            "a\nb",
            "| a | b |\n|---|",
            "\\end{table}$%_#&{}~^\\",
            "{{ 7 * 7 }}{% raw %}",
            "javascript:alert(1)",
            "\u202egpj.exe",
            "\x1b[2J",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
)
SHOWN: set[str] = set()
before: list[tuple[Any, ...]] = []


def prepare() -> None:
    toy.make(Path())
    values = toy.params(Path())
    own = {"testsets": {"few": values["testsets"]["few"]}, "protocols": {"few": {**values["protocols"]["few"]}}}
    own["protocols"]["few"]["metrics"] = ["psnr"]
    toy.write_params(Path(), {**values, **own})
    sample.main("classical", device="cpu")
    benchmark.main("classical", device="cpu")
    for name in ("data", "reports", "params.yaml"):
        _copy(Path(name), Path("whole", name))
    report.main()
    before[:] = [_made()]


def hostile() -> st.SearchStrategy[tuple[str, str]]:
    """Where a text is put, and the text."""
    return st.tuples(st.sampled_from(list(PLACES)), TEXTS)


def knock(given: tuple[str, str]) -> Verdict:
    place, text = given
    for name in ("reports", "data", "params.yaml"):
        _copy(Path("whole", name), Path(name))
    PLACES[place](text)
    verdict = of_verb("report", [], ["reports", "data", "params.yaml"])
    refuse_halves(Path("reports"))
    if verdict.accepted:
        assert _made() == before[0], "markup that was text"
        assert place not in VISIBLE or _plain(text) in _plain(Page(Path("reports/index.html")).text), "not shown"
    else:
        assert not Path("reports/index.html").exists()
    return verdict


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(exist_ok=True)
        shutil.copy(source, target)
        return
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _notes(change: Callable[[dict[str, Any]], object]) -> None:
    path = SCORES / "classical.cards.json"
    notes = json.loads(path.read_text())
    change(notes)
    path.write_text(json.dumps(notes))


def _warning(text: str) -> None:
    _notes(lambda notes: notes["warnings"].append({"method": "classical/mean", "protocol": "few", "text": text}))


def _reason(text: str) -> None:
    told = {"method": "classical/mean", "protocol": "few", "metric": "fid", "reason": text}
    _notes(lambda notes: notes["absent"].append(told))


def _entry(text: str) -> None:
    """An entry's name, in all tables."""
    _notes(lambda notes: notes["cards"].update({text: notes["cards"].pop("classical/mean")}))
    _notes(lambda notes: [one.update(method=text) for one in notes["cost"] if one["method"] == "classical/mean"])
    for stem in ("classical", "classical.summary"):
        frame = tables.read(SCORES / stem)
        tables.write(frame.assign(method=frame["method"].replace("classical/mean", text)), SCORES / stem)
    _description(text)


def _description(text: str) -> None:
    path = STORE / "store.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "entry": text}))


def _quarantined(text: str) -> None:
    row = {"name": text, "split": "test", "reason": text}
    tables.write(pd.DataFrame([row]), SHARDS / "quarantine")


def _params(text: str) -> None:
    path = Path("params.yaml")
    path.write_text(f"{path.read_text()}more: {json.dumps(text)}\n")


PLACES: dict[str, Callable[[str], None]] = {
    "a warning": _warning,
    "a reason": _reason,
    "an entry's name": _entry,
    "a store's entry": _description,
    "a file's name": _quarantined,
    "params": _params,
}
VISIBLE = {"a warning", "a reason", "an entry's name", "a file's name"}


class Page(HTMLParser):
    """Its elements that run or load something, its handlers, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += [tag] if tag in {"script", "img", "iframe", "object", "embed", "link"} else []
        self.handlers += [f"{name}={value}" for name, value in attrs if name.startswith("on")]
        self.handlers += [str(value) for name, value in attrs if name == "href" and str(value).startswith("javascript")]

    def handle_data(self, data: str) -> None:
        self.text += data


def _made() -> tuple[Any, ...]:
    """What no text may change."""
    pages = [Page(path) for path in (Path("reports/index.html"), Path("reports/pages/explorer.html"))]
    scripts = [path.read_text() for path in sorted(Path("reports/pages").glob("*.js"))]
    assert all(script.startswith("plurifill(") and "<" not in script and script.endswith(");\n") for script in scripts)
    written = [Path("reports", name).read_text() for name in ("tables.md", "tables.tex")]
    return *((len(page.tags), page.handlers) for page in pages), [len(text.splitlines()) for text in written]


def _plain(text: str) -> str:
    """Without what lines and pages add between its signs."""
    return "".join(sign for sign in text if sign.isprintable() and not sign.isspace() and sign != "\u200b")
