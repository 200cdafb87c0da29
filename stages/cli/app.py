"""`plurifill VERB ...`: finds the verb's module and runs it. Exit codes: 0 ok, 2 the user's mistake, 1 ours.

A verb is a module with `main`: those of the graph stand in stages/, the user's own in stages/cli/.
"""

import ast
import errno
import importlib
import sys
from pathlib import Path
from typing import Any, cast

GRAPH = ("shard", "train", "sample", "benchmark", "report")  # in the order of dvc.yaml
HERE = Path(__file__).parent
NO_VERBS = {"__init__", "app", "options", "recorded"}
NO_PLACE = {  # why a place that the user named, or the disk, takes no file
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EFBIG,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def verbs() -> dict[str, str]:
    """The module of every verb, the graph's first."""
    own = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NO_VERBS)
    return {**{name: f"stages.{name}" for name in GRAPH}, **{name: f"stages.cli.{name}" for name in own}}


def usage() -> str:
    """The list of verbs, at once: torch is imported by none of this."""
    rows = [f"  {name:<10} {_headline(name)}" for name in verbs()]
    return "\n".join(["usage: plurifill VERB [OPTIONS]    (plurifill VERB --help tells a verb's options)", "", *rows])


def main() -> None:
    """Run the verb named by the first argument."""
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in {"--help", "-h", "help"}:
        print(usage())
        return
    if verb not in verbs():
        print(f"plurifill: there is no verb {verb!r}; choose from {' '.join(verbs())}", file=sys.stderr)
        sys.exit(2)
    run(verb, sys.argv[2:])


def run(verb: str, arguments: list[str]) -> None:
    """A verb's `main` under typer; the user's mistake becomes one line and exit code 2."""
    import typer

    from stages.contract import UserError

    mistake = cast(type[Exception], typer.BadParameter.mro()[1])  # of any option; its name is typer's own affair
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name=verb)(importlib.import_module(verbs()[verb]).main)
    try:
        code = app(arguments, prog_name=f"plurifill {verb}", standalone_mode=False)
    except mistake as error:
        _refuse(verb, f"{_line(error)} (plurifill {verb} --help tells the options)")
    except typer.Abort:
        sys.exit(130)
    except UserError as error:
        _refuse(verb, str(error))
    except OSError as error:
        if error.errno not in NO_PLACE:
            raise
        _refuse(verb, f"{error.filename or 'a file'}: {error.strerror}; mend that, or name another place")
    else:
        sys.exit(code or 0)


def _refuse(verb: str, line: str) -> None:
    print(f"plurifill {verb}: {_printable(' '.join(line.splitlines()))}", file=sys.stderr)
    sys.exit(2)


def _printable(text: str) -> str:
    """What a name holds may move a terminal's cursor: such signs are spelt out."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _line(error: Any) -> str:
    return " ".join(error.format_message().replace("Value error, ", "").split())


def _headline(verb: str) -> str:
    """The first line of the docstring of the verb's `main`."""
    path = HERE.parent / f"{verb}.py" if verb in GRAPH else HERE / f"{verb}.py"
    found = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    told = next((ast.get_docstring(node) or "" for node in found if node.name == "main"), "")
    return told.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    main()
