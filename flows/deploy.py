"""`python -m flows.deploy`: the work pools and prefect.yaml's deployments, on Prefect's server (PREFECT_API_URL)."""

import os
import subprocess
import sys
from contextlib import suppress

from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from flows import server
from flows.workers import POOLS


def main() -> None:
    """Exit code 2 where no server answers."""
    with server.client() as client:
        if error := client.api_healthcheck():
            print(
                f"deploy: no server at {server.api()} ({type(error).__name__}); `make ui` starts one", file=sys.stderr
            )
            sys.exit(2)
        for name in POOLS:
            with suppress(ObjectAlreadyExists):  # a worker that starts makes its own
                client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    own = {**os.environ, "PREFECT_API_URL": server.api()}
    subprocess.run(["prefect", "--no-prompt", "deploy", "--all"], check=True, env=own)


if __name__ == "__main__":
    main()
