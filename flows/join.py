"""`python -m flows.join HOME`: this clone's workers, for the servers of another machine (`make join TO=HOME`).

HOME is that machine's name, or the whole address of its Prefect server. What would fail later, point by point, is
refused before anything starts: no server, no MLflow, no DVC remote, another commit than the deployments'.
"""

import argparse
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dvc.config import Config
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.exceptions import PrefectHTTPStatusError

from flows import git, server, stage, supervisor
from flows.errors import InvalidRequest

NAME = "plurifill_home"  # the variable on Prefect's server
ANSWER_S = 5.0


def announce(client: SyncPrefectClient, root: Path) -> None:
    """Tell the server's other machines of what commit the deployments are, and whether work is shared here."""
    value = {"commit": git.run(root, "rev-parse", "HEAD"), "shared": stage.is_shared()}
    if client.read_variable_by_name(NAME) is None:
        client.create_variable(VariableCreate(name=NAME, value=value))
    else:
        client.update_variable(VariableUpdate(name=NAME, value=value))


def join(home: str, root: Path) -> None:
    """Start the workers. InvalidRequest where they could not share in the work."""
    base = home.rstrip("/").removesuffix("/api") if "://" in home else f"http://{home}:{server.port()}"
    os.environ["PREFECT_API_URL"] = f"{base}/api"
    if supervisor.is_running("workers"):
        raise InvalidRequest(f"{root}: its workers run already; `make stop` ends them")
    _check_remote(root)
    _check_announced(_announced(), root)
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        os.environ["MLFLOW_TRACKING_URI"] = _mlflow(base)
    os.environ["PLURIFILL_SHARED"] = "1"
    os.environ.setdefault("PLURIFILL_POOLS", "cpu gpu")  # runs that only wait for others stay at home
    subprocess.run([sys.executable, "-m", "flows.workers", "start"], check=True)
    print(f"joined {base}: pools {os.environ['PLURIFILL_POOLS']}; `make stop` leaves")


def _check_remote(root: Path) -> None:
    if not Config(str(root / ".dvc"))["core"].get("remote"):
        raise InvalidRequest(
            f"{root}: no default DVC remote, by which results travel; dvc remote add --default NAME ADDRESS"
        )


def _announced() -> Mapping[str, Any]:
    try:
        with server.client() as client:
            server.require(client)
            found = client.read_variable_by_name(NAME)
    except PrefectHTTPStatusError as error:
        raise InvalidRequest(
            f"{server.api()}: {server.told(error)}; PLURIFILL_LOGIN=name:password if it asks"
        ) from error
    if found is None or not isinstance(found.value, dict):
        raise InvalidRequest(f"{server.api()}: nothing is deployed there; `make deploy` at home comes first")
    return found.value


def _check_announced(home: Mapping[str, Any], root: Path) -> None:
    commit, own = str(home.get("commit")), git.run(root, "rev-parse", "HEAD")
    if not home.get("shared"):
        mend = "there: export PLURIFILL_SHARED=1, then make stop ui workers deploy"
        raise InvalidRequest(f"{server.api()}: home does not share its work; {mend}")
    if commit != own:
        mend = f"git fetch && git checkout {commit[:7]} here, or `make deploy` at home once it is at this one"
        raise InvalidRequest(f"{root}: at commit {own[:7]}, and home's deployments are of {commit[:7]}; {mend}")


def _mlflow(base: str) -> str:
    """The address of the MLflow server beside that one of Prefect's."""
    parts = urlsplit(base)
    found = f"{parts.scheme}://{parts.hostname}:{os.environ.get('MLFLOW_PORT', '5000')}"
    try:
        with urllib.request.urlopen(f"{found}/health", timeout=ANSWER_S):
            return found
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        mend = "`make ui` at home starts it; MLFLOW_PORT, or the whole MLFLOW_TRACKING_URI, where it is elsewhere"
        raise InvalidRequest(f"no MLflow at {found} ({type(error).__name__}): {mend}") from error


def main() -> None:
    """Exit code 2 and one line for what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m flows.join", description="This clone's workers for another home.")
    parser.add_argument("home", help="the machine's name, or http://name:port of its Prefect server")
    try:
        join(parser.parse_args().home, Path().resolve())
    except InvalidRequest as error:
        print(f"join: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
