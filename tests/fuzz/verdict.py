"""What a door may do with an input: accept it, or refuse it in one line. All else is a fault, and is raised."""

import io
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.cli import app

TOLD = ("warning: ", "WARNING: ")  # lines before the refusal


@dataclass(frozen=True)
class Verdict:
    """Accepted, or refused in that line; `said` is all that was told on the way."""

    accepted: bool
    line: str = ""
    said: str = ""


def of_verb(verb: str, words: Sequence[str], named: Sequence[str]) -> Verdict:
    """`plurifill VERB` in this process: exit code 0, or 2 and one line that holds one of `named`."""
    told, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(told), redirect_stderr(errors), warnings.catch_warnings():
        warnings.simplefilter("error", append=True)  # a line of Python's own is none that a person can use
        warnings.filterwarnings("ignore", module=r"PIL\.")  # as images/encoded.py does; pytest has taken that away
        code = _code(verb, words)
    said = told.getvalue() + errors.getvalue()
    if code == 0:
        return Verdict(True, said=said)
    assert code == 2, f"exit code {code}: {said}"
    *before, line = errors.getvalue().splitlines()
    assert line.startswith(f"plurifill {verb}: "), said
    assert all(one.startswith(TOLD) for one in before), said
    return _refused(line, named)


def of_call(call: Callable[[], Any], refusal: type[Exception], named: Sequence[str]) -> tuple[Verdict, Any]:
    """A call that has no verb of its own, and what it gave; a refusal is its exception, of one line."""
    errors = io.StringIO()
    try:
        with redirect_stderr(errors):
            given = call()
    except refusal as error:
        return _refused(str(error), named), None
    return Verdict(True, said=errors.getvalue()), given


def refuse_halves(folder: Path = Path()) -> None:
    """No file that was being written is left."""
    halves = [path for path in folder.rglob(".*") if path.name not in {".dvc", ".git"}]
    assert not halves, f"left half-written: {halves}"


def _refused(line: str, named: Sequence[str]) -> Verdict:
    assert line and len(line.splitlines()) == 1, f"not one line: {line!r}"
    assert any(name in line for name in named), f"names none of {list(named)}: {line}"
    return Verdict(False, line)


def _code(verb: str, words: Sequence[str]) -> int:
    try:
        app.run(verb, list(words))
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("a verb ends with an exit code")
