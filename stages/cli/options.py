"""Options that several verbs have, each defined once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

PARAMS = Path("params.yaml")


class Rank(StrEnum):
    """The order of a picture's completions."""

    seed = "seed"
    likelihood = "likelihood"


class OutputKind(StrEnum):
    """What results are: composited (known pixels are the image's very own) or raw (made anew)."""

    composited = "composited"
    raw = "raw"


class Split(StrEnum):
    """A dataset's splits."""

    train = "train"
    val = "val"
    test = "test"


Method = Annotated[str, typer.Argument(help="a method: a folder in stages/methods")]
EntryArgument = Annotated[str, typer.Argument(help="a method, or one of its variants as METHOD/VARIANT")]
EntryOption = Annotated[str, typer.Option("--method", help="a method, or one of its variants as METHOD/VARIANT")]
Set = Annotated[list[str] | None, typer.Option("-S", metavar="KEY=VALUE", help="override a key of params")]
ParamsFile = Annotated[Path, typer.Option("--params", help="the params file")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1; default: cuda where there is one")]
Limit = Annotated[int, typer.Option(min=0, help="the first so many images; 0: all")]
Part = Annotated[
    str, typer.Option(metavar="I/N", help="do the I-th of N parts alone; once all are done, run the verb without it")
]
PieceBatch = Annotated[int, typer.Option("--batch-size", min=0, help="images at once; 0: a piece (64 completions)")]
