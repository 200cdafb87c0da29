"""The page put together: every section by its own template, the picture at the top, one string of HTML."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from stages.pages import answers, hero, section
from stages.pages.environment import environment
from stages.pages.found import Found
from stages.pages.section import Nothing, SectionModule

OPEN = ("results", "samples")  # sections that are not folded


@dataclass(frozen=True)
class Section:
    """One section of the page: its id, its heading, and its HTML; or why it shows nothing."""

    name: str
    title: str
    body: Markup
    missing: str = ""


def render(found: Found) -> str:
    """The whole page; it asks for nothing outside of itself."""
    templates = environment()
    sections = [_section(templates, name, module, found) for name, module in section.every().items()]
    page = templates.get_template("page.html.jinja")
    opening = {"lead": lead(found), "hero": hero.find(found), "front": answers.find(found)}
    return page.render(sections=sections, open_sections=OPEN, **opening)


def lead(found: Found) -> str:
    """The page in two sentences."""
    entries = list(dict.fromkeys(row.name for table in found.tables for row in table.rows))
    if not entries:
        return "Completions of images with holes. No method is scored yet; what is there is shown below."
    datasets = ", ".join(dict.fromkeys(str(table.card["dataset"]) for table in found.tables))
    photographs = max(table.sources for table in found.tables)
    return (
        f"{_count(len(entries), 'way')} of completing the same images of {datasets} under the same holes, "
        f"up to {_count(photographs, 'photograph')}, scored on {_count(len(found.tables), 'protocol')}. "
        "Every score bears its 95 % interval and the card of how it was measured."
    )


def _section(templates: Environment, name: str, module: SectionModule, found: Found) -> Section:
    content = module.content(found)
    if isinstance(content, Nothing):
        return Section(name, module.TITLE, Markup(), content.why)
    return Section(name, module.TITLE, Markup(templates.get_template(f"{name}.html.jinja").render(content)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
