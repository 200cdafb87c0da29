"""Provenance: the commit, the machine, the weights that samples came from, and the params."""

from __future__ import annotations

from stages.pages.found import Found
from stages.pages.section import Content
from stages.project import provenance

TITLE = "Provenance"
ORDER = 90


def content(found: Found) -> Content:
    """Facts of this run of the report, every sample store's weights, and the params file."""
    facts = {"commit": provenance.commit(), **provenance.machine(), **provenance.versions()}
    return {"origin": list(facts.items()), "samples": found.samples, "params": found.params}
