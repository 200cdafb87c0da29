"""`python -m flows.workers start|stop|run`: this machine's workers: one a GPU, or the CPU.

Three pools: `flows` for runs that only wait for others, `cpu` and `gpu` for stages. A worker takes one stage at a time;
workers of one device share its slot, a lock that is held until the last process on the device has ended.
"""

import os
import platform
import subprocess
import time
from pathlib import Path

from flows import liveness, supervisor
from flows.server import api
from flows.supervisor import Supervised

POOLS = ("flows", "cpu", "gpu")
FLOWS_AT_ONCE = "32"  # they only wait for others
RECOVER_S = 10.0  # crashed runs are looked for so often
QUERY_S = "2"  # a worker looks for work so often


def devices() -> list[str]:
    """The GPUs to use: those of CUDA_VISIBLE_DEVICES, else all that nvidia-smi lists."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [word for word in named.split(",") if word]
    try:
        said = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(n) for n, line in enumerate(line for line in said.splitlines() if line.startswith("GPU"))]


def workers(gpus: list[str], pools: list[str], slots: int) -> list[Supervised]:
    """The workers of this machine's `pools`. Without a GPU, `slots` stages may run on the CPU at once."""
    found = [_worker("flows", "flows", FLOWS_AT_ONCE, {})]
    found += [_worker("cpu", "cpu", "1", {"PLURIFILL_SLOT": "cpu0", "CUDA_VISIBLE_DEVICES": ""})]
    for gpu in gpus:
        found += [_worker("gpu", f"gpu{gpu}", "1", {"PLURIFILL_SLOT": f"gpu{gpu}", "CUDA_VISIBLE_DEVICES": gpu})]
    for n in range(0 if gpus else slots):
        found += [_worker("gpu", f"gpu-on-cpu{n}", "1", {"PLURIFILL_SLOT": f"cpu{n}", "CUDA_VISIBLE_DEVICES": ""})]
    return [one for one in found if one.command[one.command.index("--pool") + 1] in pools]


def _worker(pool: str, name: str, limit: str, env: dict[str, str]) -> Supervised:
    command = ["prefect", "worker", "start", "--pool", pool, "--type", "process", "--limit", limit]
    return Supervised(name, [*command, "--name", f"{platform.node()}-{name}"], env)


def run() -> None:
    """The workers, in the foreground, in this project; PREFECT_API_URL may name a server elsewhere."""
    os.environ.update(PREFECT_API_URL=api(), PLURIFILL_HOME=str(Path().resolve()))
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", QUERY_S)
    pools = os.environ.get("PLURIFILL_POOLS", " ".join(POOLS)).split()
    slots = int(os.environ.get("PLURIFILL_CPU_SLOTS", "1"))
    supervisor.supervise("workers", workers(devices(), pools, slots), Recovery())


class Recovery:
    """Now and then, runs that crashed are recovered."""

    def __init__(self) -> None:
        self.due = time.monotonic() + RECOVER_S

    def __call__(self) -> None:
        """Recover, where it is time; a server that does not answer is asked again later."""
        if time.monotonic() < self.due:
            return
        try:
            print(*liveness.recover(), sep="\n", end="", flush=True)
        except Exception as error:  # whatever a server on its way up or down does
            print(f"recovery waits: {type(error).__name__}: {error}", flush=True)
        self.due = time.monotonic() + RECOVER_S


if __name__ == "__main__":
    supervisor.main("workers", run)
