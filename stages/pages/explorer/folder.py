"""The explorer's folder: its page, a script of figures a protocol, a script and the pictures a draw."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.pages import page
from stages.pages.draws import Drawn
from stages.pages.explorer import sprites
from stages.pages.explorer.figures import figures
from stages.pages.explorer.outline import outline
from stages.pages.scores import Table

PAGE = "explorer.html"


def write(folder: Path, draws: Sequence[Drawn], tables: Sequence[Table], long: pd.DataFrame) -> None:
    """`folder` anew, whole or not at all; what lay in it is gone."""
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    contents = {"protocols": list(_protocols(fresh, draws, tables, long)), "draws": list(_draws(fresh, draws))}
    environment = page.environment()
    html = environment.get_template("explorer.html.jinja").render(contents=script(contents))
    (fresh / PAGE).write_text(html, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def _protocols(
    folder: Path, draws: Sequence[Drawn], tables: Sequence[Table], long: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    for table in tables:
        for number, drawn in enumerate(draws):
            if drawn.under(table.card):
                name = f"protocol-{slug(table.protocol)}.js"
                _write(folder / name, figures(table, drawn, long[long["protocol"] == table.protocol]))
                yield {"name": table.protocol, "file": name, "draw": number}


def _draws(folder: Path, draws: Sequence[Drawn]) -> Iterator[dict[str, Any]]:
    for drawn in draws:
        place = f"draw-{slug(drawn.name)}"
        (folder / place).mkdir()
        _write(folder / f"{place}.js", _draw(folder / place, drawn))
        yield {"name": drawn.name, "file": f"{place}.js", "folder": place}


def _draw(folder: Path, drawn: Drawn) -> dict[str, Any]:
    for number, sheet in enumerate(sprites.sheets(drawn)):
        (folder / f"sheet-{number}.webp").write_bytes(sprites.encode(sheet))
    source = dict(zip(drawn.rows[0].keys, drawn.rows[0].sources, strict=True))
    return {
        "keys": drawn.keys,
        "sources": [source[key] for key in drawn.keys],
        "outlines": [outline(drawn.hole(key)) for key in drawn.keys],
        "same": [_picture(folder / f"{i:05d}.webp", drawn, key) for i, key in enumerate(drawn.keys)],
        "rows": [row.draw["row"] for row in drawn.rows],
        "samples": [min(row.draw["samples"], sprites.SAMPLES) for row in drawn.rows],
        "totals": [row.draw["samples"] for row in drawn.rows],
        "size": drawn.rows[0].draw["size"],
        "columns": sprites.columns(drawn),
        "sheet": {"side": sprites.SIDE, "across": sprites.ACROSS, "images": sprites.SHEET},
        "full": sprites.FULL,
    }


def _picture(path: Path, drawn: Drawn, key: str) -> list[bool]:
    sheet, same = sprites.sprite(drawn, key)
    path.write_bytes(sprites.encode(sheet))
    return same


def slug(name: str) -> str:
    """A name as part of a file name: others' signs become their code points, so that two names stay two."""
    return re.sub(r"[^A-Za-z0-9_.]", lambda sign: f"-{ord(sign[0]):x}-", name)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """A script, since a page opened from a disk may load scripts and pictures but read no files."""
    path.write_text(f"plurifill({json.dumps(path.name)}, {script(values)});\n", encoding="utf-8")


def script(values: Mapping[str, Any]) -> str:
    """JSON that no HTML parser takes for the end of a script."""
    return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")
