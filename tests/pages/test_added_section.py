"""A section of the report is a file and its template: no more is needed for it to be there."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.pages import page, section, sections
from stages.pages.found import Found
from stages.pages.tables import scores

CODE = """\
from stages.pages.section import Nothing
TITLE, ORDER = "Weather", 25

def content(found):
    return {"text": found.params} if found.params else Nothing("No weather yet: look out of the window.")
"""


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files are sections, too."""
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    (tmp_path / "weather.py").write_text(CODE)
    (tmp_path / "weather.html.jinja").write_text('<p id="told">{{ text }}</p>')
    yield tmp_path
    sys.modules.pop(f"{sections.__name__}.weather", None)


def html(tmp_path: Path, params: str) -> str:
    """The page of a project in which nothing was made yet."""
    nothing = scores.read(tmp_path / "nowhere")
    return page.render(Found(tmp_path, nothing, [], [], [], params, [], of_project=True))


def test_a_file_and_its_template_are_a_section_of_the_page_and_of_its_navigation(added: Path) -> None:
    told = html(added, "rain & <b>sun</b>")
    body = '<p id="told">rain &amp; &lt;b&gt;sun&lt;/b&gt;</p>'
    folded = f'<details class="fold"><summary><h2>Weather</h2></summary>\n{body}\n</details>'
    assert f'<section id="weather">\n{folded}' in told
    navigation = told[told.index("<nav") : told.index("</nav>")]
    entries = ['<a href="#samples">', '<a href="#weather">Weather</a>', '<a href="#figures">']
    assert entries[1] in navigation and sorted(entries, key=navigation.index) == entries
    assert told.index('id="samples"') < told.index('id="weather"') < told.index('id="figures"')


def test_a_section_that_has_nothing_to_show_says_why(added: Path) -> None:
    told = html(added, "")
    assert '<p class="missing">No weather yet: look out of the window.</p>' in told and 'id="told"' not in told


def test_a_file_that_is_no_section_is_named_with_what_it_lacks(added: Path) -> None:
    (added / "weather.py").write_text("TITLE = 'Weather'")
    with pytest.raises(UserError, match=r"weather\.py: a section also defines ORDER, content"):
        section.every()


def test_every_section_has_a_template_and_a_place_of_its_own() -> None:
    there = section.every()
    assert next(iter(there)) == "results"
    assert len({module.ORDER for module in there.values()}) == len(there)
    assert all(Path(str(module.__file__)).with_name(f"{name}.html.jinja").is_file() for name, module in there.items())
