"""The index of a dataset, a row an image, of what the ledger noted of its images."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pandas as pd

from stages.images.audit import COLUMNS
from stages.images.ledger import Ledger
from stages.project import tables


def index_of(ledger: Ledger) -> Iterator[pd.DataFrame]:
    """Pieces of `tables.PIECE` rows, wherever tars end; the last is smaller, and the only one may be empty."""
    rows = (values for table, values in ledger.rows() if table == "index")
    some = list(islice(rows, tables.PIECE))
    while True:
        yield pd.DataFrame(some, columns=list(COLUMNS["index"]))
        if not (some := list(islice(rows, tables.PIECE))):
            return
