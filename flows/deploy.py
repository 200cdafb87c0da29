"""`python -m flows.deploy`: the work pools and prefect.yaml's deployments, on Prefect's server (PREFECT_API_URL).

What a person has set on a deployment that is there (schedules and their switches, parameters, tags, limits, pauses,
pools) stays: prefect.yaml says how one begins, the code what its flow is.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from ruamel.yaml import YAML

from flows import automations, join, server
from flows.errors import InvalidRequest
from flows.workers import POOLS


def main() -> None:
    """Exit code 2 where no server answers, or where what a person set does not fit the code any more."""
    try:
        with server.client() as client:
            server.require(client)
            deploy(client, YAML(typ="safe").load(Path("prefect.yaml").read_text()))
            automations.deploy(client)
            join.announce(client, Path().resolve())
    except InvalidRequest as error:
        print(f"deploy: {error}", file=sys.stderr)
        sys.exit(2)


def deploy(client: SyncPrefectClient, config: Mapping[str, Any]) -> None:
    """Make what is missing; bring the rest up to this code."""
    for name in POOLS:
        with suppress(ObjectAlreadyExists):  # a worker that starts makes its own
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    new = [name for one in config["deployments"] if (name := _update(client, one, config["pull"]))]
    if new:
        own, words = {**os.environ, "PREFECT_API_URL": server.api()}, [f"--name={name}" for name in new]
        subprocess.run(["prefect", "--no-prompt", "deploy", *words], check=True, env=own)


def _update(client: SyncPrefectClient, one: Mapping[str, Any], pull: list[dict[str, Any]]) -> str:
    """Tell the server where the deployment's code is and what its form asks; its name where it is not there yet."""
    flow: Flow[..., Any] = load_flow_from_entrypoint(one["entrypoint"])
    name = f"{flow.name}/{one['name']}"
    try:
        there = client.read_deployment_by_name(name)
        form = parameter_schema(flow).model_dump(exclude_unset=True)
        code = {"entrypoint": one["entrypoint"], "pull_steps": pull, "parameter_openapi_schema": form}
        client.update_deployment(there.id, DeploymentUpdate.model_validate(code))
    except ObjectNotFound:
        return name
    except PrefectHTTPStatusError as error:
        raise InvalidRequest(f"{name}: {server.told(error)}; mend it in Prefect's pages, or delete it there") from error
    active = sum(schedule.active for schedule in there.schedules)
    print(f"{name}: up to this code; as it was set otherwise, {active} of {len(there.schedules)} schedules on")
    return ""


if __name__ == "__main__":
    main()
