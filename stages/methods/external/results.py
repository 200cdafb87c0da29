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
