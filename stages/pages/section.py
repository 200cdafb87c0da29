"""A section of the report: a file in sections/ and its template beside it, both found by the section's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from stages.contract import UserError
from stages.pages import sections
from stages.pages.found import Found
from stages.project import plugins


@dataclass(frozen=True)
class Nothing:
    """What a section returns that has nothing to show: why, and what would fill it."""

    why: str


Content = Mapping[str, Any]  # the names that the section's template knows


@runtime_checkable
class SectionModule(Protocol):
    """What a file in sections/ says; `<name>.html.jinja` beside it lays out what `content` gives."""

    TITLE: str  # the heading, and the entry in the navigation
    ORDER: int  # sections stand in the order of these numbers

    def content(self, found: Found) -> Content | Nothing: ...


def every() -> dict[str, SectionModule]:
    """All sections by their names, in the page's order."""
    modules = {name: _module(name) for name in plugins.names(sections.__name__)}
    return dict(sorted(modules.items(), key=lambda item: item[1].ORDER))


def _module(name: str) -> SectionModule:
    found = plugins.find(sections.__name__, name)
    missing = [one for one in ("TITLE", "ORDER", "content") if not hasattr(found, one)]
    if not isinstance(found, SectionModule):
        raise UserError(f"{found.__file__}: a section also defines {', '.join(missing)} (see SectionModule)")
    return found
