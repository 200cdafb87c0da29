"""Protocols: the cards under which scores were measured."""

from __future__ import annotations

from stages.pages.found import Found
from stages.pages.section import Content, Nothing

TITLE = "Protocols"
ORDER = 80


def content(found: Found) -> Content | Nothing:
    """A card a protocol."""
    if not found.tables:
        return Nothing("No protocol was used yet.")
    return {"tables": found.tables}
