"""`python -m flows.deploy`: the work pools and prefect.yaml's deployments, on the server of PREFECT_API_URL or here."""

import os
import subprocess
import sys

from flows.ui import api
from flows.workers import POOLS


def main() -> None:
    """Exit code 2 where no server answers."""
    os.environ["PREFECT_API_URL"] = api()
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    with get_client(sync_client=True) as client:
        if error := client.api_healthcheck():
            print(
                f"deploy: no Prefect server at {api()} ({type(error).__name__}); start one by `make ui`",
                file=sys.stderr,
            )
            sys.exit(2)
        there = {pool.name for pool in client.read_work_pools()}
        for name in POOLS:
            if name not in there:
                client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    subprocess.run(["prefect", "--no-prompt", "deploy", "--all"], check=True)


if __name__ == "__main__":
    main()
