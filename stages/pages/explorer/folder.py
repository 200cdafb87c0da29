"""The explorer's folder: its page, a script of scores a protocol, a script and the pictures a test set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.pages.environment import environment
from stages.pages.explorer import sprites
from stages.pages.explorer.outline import outline
from stages.pages.explorer.values import values
from stages.pages.tables.table import Table
from stages.pages.testsets import SampledTestSet
from stages.project.files import atomic_folder

PAGE = "explorer.html"
FOLDER = "pages"  # beside the report's page


def write(folder: Path, testsets: Sequence[SampledTestSet], tables: Sequence[Table], long: pd.DataFrame) -> None:
    """`folder` anew, whole or not at all; what lay in it is gone."""
    with atomic_folder(folder) as fresh:
        contents = {
            "protocols": list(_protocols(fresh, testsets, tables, long)),
            "testsets": list(_testsets(fresh, testsets)),
        }
        page = environment().get_template("explorer/explorer.html.jinja")
        (fresh / PAGE).write_text(page.render(contents=script(contents)), encoding="utf-8")


def _protocols(
    folder: Path, testsets: Sequence[SampledTestSet], tables: Sequence[Table], long: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    for table in tables:
        for number, testset in enumerate(testsets):
            if testset.under(table.card):
                name = f"protocol-{slug(table.protocol)}.js"
                _write(folder / name, values(table, testset, long[long["protocol"] == table.protocol]))
                yield {"name": table.protocol, "file": name, "testset": number}


def _testsets(folder: Path, testsets: Sequence[SampledTestSet]) -> Iterator[dict[str, Any]]:
    for testset in testsets:
        place = f"testset-{slug(testset.name)}"
        (folder / place).mkdir()
        _write(folder / f"{place}.js", _testset(folder / place, testset))
        yield {"name": testset.name, "file": f"{place}.js", "folder": place}


def _testset(folder: Path, testset: SampledTestSet) -> dict[str, Any]:
    for number, sheet in enumerate(sprites.sheets(testset)):
        (folder / f"sheet-{number}.webp").write_bytes(sprites.encode(sheet))
    first, told = testset.entries[0], [samples.description for samples in testset.entries]
    source = dict(zip(first.keys, first.sources, strict=True))
    return {
        "keys": testset.keys,
        "sources": [source[key] for key in testset.keys],
        "outlines": [outline(testset.hole(key)) for key in testset.keys],
        "same": [_picture(folder / f"{i:05d}.webp", testset, key) for i, key in enumerate(testset.keys)],
        "entries": [one["entry"] for one in told],
        "samples": [min(one["samples"], sprites.SAMPLES) for one in told],
        "totals": [one["samples"] for one in told],
        "size": first.description["size"],
        "columns": sprites.columns(testset),
        "sheet": {"side": sprites.SIDE, "across": sprites.ACROSS, "images": sprites.SHEET},
        "full": sprites.FULL,
    }


def _picture(path: Path, testset: SampledTestSet, key: str) -> list[bool]:
    sheet, same = sprites.sprite(testset, key)
    path.write_bytes(sprites.encode(sheet))
    return same


def slug(name: str) -> str:
    """A name as part of a file name: others' signs become their code points, so that two names stay two."""
    return re.sub(r"[^A-Za-z0-9_.]", lambda sign: f"-{ord(sign[0]):x}-", name)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """A script, since a page that is opened from a disk may load scripts and pictures but read no files."""
    path.write_text(f"plurifill({json.dumps(path.name)}, {script(values)});\n", encoding="utf-8")


def script(values: Mapping[str, Any]) -> str:
    """JSON that no HTML parser takes for the end of a script."""
    return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")
