"""`python -m flows.ask DEPLOYMENT [--name SWEEP] [--parts N]`: ask the workers for a run; tell its course, to its end.

Told are the states of the run and of those that it asks for, how many are made, run and failed, how long the rest may
take, a pool that they wait for without a worker, and why what failed did and where its log is. Exit code 0 where it
completes, 1 where it does not, 2 for the user's mistake.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from flows import division, graph, search_outcome, server
from flows.errors import InvalidRequest
from flows.progress import Progress
from flows.results import Results
from flows.sweep_spec import SweepRequest, SweepSpec
from flows.watch import Watch, reason

MISTAKE = f"{InvalidRequest.__name__}: "


def begin(client: SyncPrefectClient, deployment: str, parameters: dict[str, Any]) -> FlowRun:
    """A new run. InvalidRequest where there is no such deployment, or where it does not take the parameters."""
    try:
        found = client.read_deployment_by_name(deployment)
        return client.create_flow_run_from_deployment(found.id, parameters=parameters)
    except ObjectNotFound as error:
        raise InvalidRequest(f"no deployment {deployment} at {server.api()}; `make deploy` puts it there") from error
    except PrefectHTTPStatusError as error:
        raise InvalidRequest(f"{deployment}: {server.told(error)}") from error


def ask(deployment: str, parameters: dict[str, Any], progress: Progress) -> int:
    """The exit code, at the run's end."""
    with server.client() as client:
        server.require(client)
        run = begin(client, deployment, parameters)
        page = f"{server.api().removesuffix('/api')}/runs/flow-run/{run.id}"
        print(f"{deployment}: {page}", flush=True)
        try:
            watch = Watch(client, run.id, progress)
            ended = watch.to_the_end()
        except KeyboardInterrupt:
            print(f"the run goes on: {page} can cancel it")
            return 130
        if ended.state and ended.state.is_completed():
            return 0
        print(*watch.reasons(), f"{deployment}: {reason(ended.state)}", sep="\n", file=sys.stderr)
        return 2 if ended.state and MISTAKE in str(ended.state.message) else 1


def _sweep(deployment: str, spec: SweepSpec, own: dict[str, Any]) -> int:
    """The exit code; of a search, the last lines say what it has found."""
    points = Progress(spec.name, searched=spec.search.points) if spec.search else Progress(spec.name, list(spec.points))
    code = ask(deployment, {"name": spec.name, **own}, points)
    for line in search_outcome.told(spec.search, Results(Path(), spec.name)) if code < 2 else ():
        print(line)
    return code


def main() -> None:
    """`make pipeline` and `make sweep`."""
    parser = argparse.ArgumentParser(prog="python -m flows.ask", description="Ask the workers for a run; tell its end.")
    parser.add_argument("deployment", help="as prefect.yaml has it: reproduce/pipeline, sweep/grid")
    parser.add_argument("--name", help="of a sweep in params.yaml")
    parser.add_argument("--parts", help="so many runs make each method's samples, and its scores")
    given = parser.parse_args()
    try:
        own = {} if given.parts is None else {"parts": division.read(given.parts)}
        if given.name is None:
            sys.exit(ask(given.deployment, own, Progress(given.deployment)))
        spec = SweepRequest(given.name).resolve(Path("params.yaml").read_text(), graph.read())
        sys.exit(_sweep(given.deployment, spec, own))
    except InvalidRequest as error:
        print(f"{given.deployment}: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
