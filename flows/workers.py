"""`python -m flows.workers start|stop|run`: this machine's workers: one a GPU, or the CPU.

Three pools: `flows` for runs that only wait for others, `cpu` and `gpu` for stages. A worker takes one stage at a time;
workers of one slot share a lock, held until the last process on it has ended. A device is one slot, or several.
"""

import itertools
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from flows import heartbeats, liveness, supervisor
from flows.server import api
from flows.supervisor import Supervised

POOLS = ("flows", "cpu", "gpu")
FLOWS_AT_ONCE = "32"  # they only wait for others
RECOVER_S = 10.0  # lost, crashed and forsaken runs are looked for so often
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


def workers(gpus: list[str], pools: list[str], cpu_slots: int = 1, gpu_slots: int = 1) -> list[Supervised]:
    """The workers of this machine's `pools`: one a slot, `gpu_slots` of a GPU and `cpu_slots` of the CPU, which both
    pools share where there is no GPU.
    """
    found = [_worker("flows", "flows", FLOWS_AT_ONCE, {})]
    for n in range(cpu_slots):
        name = f"cpu{n}" if n else "cpu"
        found += [_worker("cpu", name, "1", {"PLURIFILL_SLOT": f"cpu{n}", "CUDA_VISIBLE_DEVICES": ""})]
    for gpu, n in itertools.product(gpus, range(gpu_slots)):
        slot = f"gpu{gpu}.{n}" if n else f"gpu{gpu}"
        found += [_worker("gpu", slot, "1", {"PLURIFILL_SLOT": slot, "CUDA_VISIBLE_DEVICES": gpu})]
    for n in range(0 if gpus else cpu_slots):
        found += [_worker("gpu", f"gpu-on-cpu{n}", "1", {"PLURIFILL_SLOT": f"cpu{n}", "CUDA_VISIBLE_DEVICES": ""})]
    return [one for one in found if one.command[one.command.index("--pool") + 1] in pools]


def slots(variable: str) -> int:
    """How many stages may run on a device at once, by the environment; 1: a stage has it for itself. Exit code 2."""
    text = os.environ.get(variable, "1")
    if not text.isdecimal() or int(text) < 1:
        print(f"workers: {variable}={text}: give a number of stages at once, 1 or more", file=sys.stderr)
        sys.exit(2)
    return int(text)


def _worker(pool: str, name: str, limit: str, env: dict[str, str]) -> Supervised:
    command = ["prefect", "worker", "start", "--pool", pool, "--type", "process", "--limit", limit]
    return Supervised(name, [*command, "--name", f"{platform.node()}-{name}"], env)


def run() -> None:
    """The workers, in the foreground, in this project; PREFECT_API_URL may name a server elsewhere."""
    os.environ.update(PREFECT_API_URL=api(), PLURIFILL_HOME=str(Path().resolve()))
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", QUERY_S)
    os.environ["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = str(heartbeats.EVERY_S)  # of the flows that they run
    pools = os.environ.get("PLURIFILL_POOLS", " ".join(POOLS)).split()
    found = workers(devices(), pools, slots("PLURIFILL_CPU_SLOTS"), slots("PLURIFILL_GPU_SLOTS"))
    supervisor.supervise("workers", found, Recovery())


class Recovery:
    """Now and then, what `liveness` finds wrong is put right."""

    def __init__(self) -> None:
        self.due = time.monotonic() + RECOVER_S
        self.silence = heartbeats.Silence()

    def __call__(self) -> None:
        """Recover, where it is time; a server that does not answer is asked again later."""
        if time.monotonic() < self.due:
            return
        try:
            for line in liveness.recover(self.silence):
                print(line, flush=True)
        except Exception as error:  # whatever a server on its way up or down does
            print(f"recovery waits: {type(error).__name__}: {error}", flush=True)
            self.silence = heartbeats.Silence()  # while it was away nobody could be heard
        self.due = time.monotonic() + RECOVER_S


if __name__ == "__main__":
    supervisor.main("workers", run)
