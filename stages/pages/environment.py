"""The templates, and the words that they know; everything that they print is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stages.pages import sections
from stages.pages.labels import count, number

HASH = re.compile("[0-9a-f]{64}")


def environment() -> Environment:
    """Templates of the page in templates/, of a section beside its module."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader("stages.pages"), FileSystemLoader(list(sections.__path__))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    made.filters |= {"told": told, "breakable": breakable, "number": number, "count": count}
    return made


def told(value: Any) -> str:
    """A card's value in words; of a hash, the first digits."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {told(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "none" if value is None else str(value)
    return text[:12] if HASH.fullmatch(text) else text


def breakable(name: str) -> Markup:
    """A name that a narrow column may break after / and _."""
    return Markup(re.sub("([/_])", r"\1<wbr>", str(escape(name))))
