"""`plurifill VERB ...`: finds the verb's module and runs it. Exit codes: 0 ok, 2 the user's mistake, 1 ours."""

import importlib
import sys

VERBS = {
    "shard": "make a dataset's shards, masks and audit from its source",
    "train": "train one part (or all parts) of a method; run again to resume",
    "evaluate": "tell a released part's own figures on a split, beside its untrained network's",
    "sample": "draw a method's completions for every protocol's images",
    "export": "write a method's completions as plain PNG files",
    "benchmark": "score a method's completions",
    "report": "write reports/index.html and its tables",
    "compare": "print a sweep's points with intervals and paired differences",
    "record": "write finished scores to MLflow: the benchmark, or a sweep",
    "register": "put a trained inpainter into MLflow's registry, to be loaded or served",
    "inpaint": "complete your own photographs",
    "transfer": "fill a hole after another image",
    "preset": "write params.yaml from a preset, or show what it changes",
    "doctor": "say what this machine has: versions, devices, data, weights",
}


def usage() -> str:
    rows = [f"  {name:<10} {line}" for name, line in VERBS.items()]
    return "\n".join(["usage: plurifill VERB [OPTIONS]    (plurifill VERB --help tells a verb's options)", "", *rows])


def main() -> None:
    """Run the verb named by the first argument."""
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in {"--help", "-h", "help"}:
        print(usage())
        return
    if verb not in VERBS:
        print(f"plurifill: there is no verb {verb!r}; choose from {' '.join(VERBS)}", file=sys.stderr)
        sys.exit(2)
    run(verb, sys.argv[2:])


def run(verb: str, arguments: list[str]) -> None:
    """A verb's `main` under typer; a UserError becomes one line and exit code 2."""
    import typer  # here, as torch below it: the list of verbs is to come at once

    from stages.contract import UserError

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name=verb)(importlib.import_module(f"stages.{verb}").main)
    try:
        app(arguments, prog_name=f"plurifill {verb}")
    except UserError as error:
        print(f"plurifill {verb}: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
