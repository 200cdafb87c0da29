"""Does a micro-batch fit? Two steps of a part in a process of its own, on noise, under a limit of memory.

`python -m stages.training.fit.trial` reads an Asked as JSON and answers with JSON: the peak's bytes, or why there is
none. The part is untrained, as are its parents; networks that losses read are there where their weights are.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from stages.contract import Batch, UserError
from stages.project import devices
from stages.project.seeds import seed_all
from stages.tracking.store import TrackParams
from stages.tracking.training import About, Tracker
from stages.training import dry_run, parts
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from stages.training.lenders import LENDERS
from stages.training.loop import Run, Training
from stages.training.parts import Plan

STEPS = 2  # the second has the optimiser's state beside its activations
STATUS = Path("/proc/self/status")
OUT = ("allocate memory", "bad_alloc", "out of memory", "memory object")  # how torch, C++, CUDA and oneDNN say it
KILLED = (-6, -9)  # aborted, for want of memory outside of torch; killed by the system


@dataclass(frozen=True)
class Asked:
    """A part under params, so many images at once, and how many bytes there are for it."""

    values: Mapping[str, Any]
    method: str
    part: str
    images: int
    device: str
    limit: int

    def of(self, images: int) -> Asked:
        """The same of so many images."""
        return replace(self, images=images)


def peak(asked: Asked) -> int | None:
    """Bytes at the most while the part learns; None where the limit is not enough. UserError as training has it."""
    command = [sys.executable, "-m", "stages.training.fit.trial"]
    done = subprocess.run(command, input=json.dumps(asdict(asked)), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode in KILLED:
        return None
    done.check_returncode()
    told = json.loads(done.stdout)
    if "mistake" in told:
        raise UserError(told["mistake"])
    found: int | None = told["peak"]
    return found if found is not None and found <= asked.limit else None  # pages of libraries pass the bound


def main() -> None:
    """One trial."""
    asked = Asked(**json.load(sys.stdin))
    try:
        told: dict[str, Any] = {"peak": _tried(asked)}
    except UserError as error:
        told = {"mistake": str(error)}
    except (MemoryError, RuntimeError) as error:  # CUDA's is a RuntimeError
        if isinstance(error, RuntimeError) and not any(words in str(error) for words in OUT):
            raise
        told = {"peak": None}
    print(json.dumps(told))


def _tried(asked: Asked) -> int:
    device = devices.choose(asked.device)
    _bound(device, asked.limit)
    plan = _cut(parts.plan(asked.values, asked.method, asked.part), asked.images)
    plans, spec = parts.family(asked.values, plan), parts.spec(asked.values, plan)
    accelerator = TorchAccelerator(plan.title, plan.loop, device, Ranks(), *LENDERS)
    seed_all(plan.loop.seed, "build")
    part = plan.build(dry_run.parents(plan, plans, spec), spec, accelerator)
    batch = _noise(dry_run.empty(plan.loop.batch, spec))
    with tempfile.TemporaryDirectory() as folder:
        tracker = Tracker(TrackParams(backend="none"), About(plan.title, {}, {}, Path(folder)))
        training = Training(Run(part, accelerator, lambda *_: batch, [], Path(folder), tracker))
        for step in range(STEPS):
            training.advance(batch, step)
    if accelerator.skipped:
        raise UserError(f"{plan.title}: a step on noise has no finite gradient: what fits cannot be found by trying")
    return _peak(device)


def _cut(plan: Plan, images: int) -> Plan:
    """Of the params' micro-batches two at most: their gradients' sum is held beside the second one's activations."""
    micro = min(2, plan.loop.batch // images)
    loop = plan.loop.model_copy(update={"batch": images * micro, "accumulate": micro, "workers": 0})
    return replace(plan, loop=loop)


def _noise(batch: Batch) -> Batch:
    """Uniform pixels, the left half of them known."""
    known_B1HW = torch.ones_like(batch.known_B1HW)
    known_B1HW[..., known_B1HW.shape[-1] // 2 :] = 0
    return replace(batch, image_BCHW=torch.rand_like(batch.image_BCHW) * 2 - 1, known_B1HW=known_B1HW)


def _bound(device: torch.device, limit: int) -> None:
    """Whatever is asked for beyond the limit is refused to this process."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), device)
        return
    left = limit - _status("VmRSS")
    if left < 0:
        raise MemoryError
    resource.setrlimit(resource.RLIMIT_DATA, (_status("VmData") + left, resource.RLIM_INFINITY))


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_reserved(device) if device.type == "cuda" else _status("VmHWM")


def _status(name: str) -> int:
    """Bytes that Linux tells of this process: VmRSS in memory, VmHWM the most that were, VmData its own."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    assert found, name
    return int(found[1]) * 1024


if __name__ == "__main__":
    main()
