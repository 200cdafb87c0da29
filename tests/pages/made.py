"""Scores that a test chooses, as the report reads them from files."""

import math

import pandas as pd

from stages.pages.tables.scores import Scores

CARD = {"signature": "s", "dataset": "d", "samples": 2, "composite": True, "selection": "all", "out_of_domain": False}


def row(entry: str, metric: str, estimate: float, better: str, low: float = math.nan, high: float = math.nan) -> dict:
    """A row of a summary."""
    own = {"method": entry, "protocol": "box", "metric": metric, "estimate": estimate, "low": low, "high": high}
    return {**own, "better": better, "n": 30, "sources": 25, "k": 2}


def scores(*rows: dict, absent: tuple[dict, ...] = (), **cards: dict) -> Scores:
    """Of rows under one protocol; `cards` are fields that an entry's card has for itself."""
    own = {one["method"]: {"box": {**CARD, "trained_on": [], **cards.get(one["method"], {})}} for one in rows}
    return Scores(pd.DataFrame(rows), own, absent, (), ())
