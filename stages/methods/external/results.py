"""Completions made elsewhere, beside our own in every table: a variant is a folder, data/external/<variant>/<testset>/.

They are samples already: `stages/sampling/external` checks them and puts them where samples are stored.
"""

from typing import Literal

from stages import contract

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    """What the results are."""

    output_kind: Literal["raw", "composited"]  # composited: known pixels are the image's very own
    layout: str | None = None  # a program's name, or a pattern as {key}_out_{k}; None: <key>.png or <key>/<kk>.png
    ignore: tuple[str, ...] = ()  # patterns of files beside them that are no results
