"""What two ranks do by every exchange of gradients, in one pair of processes; rank 0 leaves what tests look at.

`python -m tests.training.exchanges FOLDER` is one of the pair.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stages.contract import Accelerator, Batch, UserError
from stages.training.distributed import Ranks, joined
from stages.training.loop import Run, train
from stages.training.loop_params import LoopParams
from tests.training import toys
from tests.training.toys import CPU, Plain, batches, loop

STEPS = 3
WAYS = ("averaged", "ddp", "fully_shard")
# who goes on with whose checkpoint: of one process, or of two ranks by another way
TURNS = tuple((source, way) for source in ("one", *WAYS) for way in WAYS if source != way)


class Stack(nn.Module):
    """Layers of a stack between two convolutions of its own; a buffer that follows what is seen."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.leave = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 3, 1)
        self.layers = nn.ModuleList(nn.Sequential(nn.Conv2d(5, 5, 3, padding=1), nn.SiLU()) for _ in range(2))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, image_BCHW: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
        x_BCHW = self.enter(image_BCHW)
        for layer in self.layers:
            x_BCHW = x_BCHW + layer(x_BCHW)
        return self.leave(x_BCHW)


class Stacked(Plain):
    """Fills in images by a Stack."""

    def __init__(self, accelerator: Accelerator, noise: float = 0.0, lr: float = 1e-2) -> None:
        super().__init__(accelerator, noise, lr)
        self.model = accelerator.prepare(Stack())  # type: ignore[assignment]
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr)

    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Made by layers alone, as a sampler's steps are."""
        enter, leave = self.model.get_submodule("enter"), self.model.get_submodule("leave")
        return {"filled": leave(enter(batch.image_BCHW))}


class Writing(Stacked):
    """Its network sets a parameter as it is called, as ActNorm does by the first batch."""

    def __init__(self, accelerator: Accelerator, noise: float = 0.0, lr: float = 1e-2) -> None:
        super().__init__(accelerator, noise, lr)
        self.model.get_submodule("layers.1.0").register_forward_pre_hook(self.write)

    @torch.no_grad()
    def write(self, layer: nn.Module, *_: object) -> None:
        if layer.training:
            layer.get_parameter("bias").add_(0.1)


class Aside(Stacked):
    """Its loss looks at weights of its network beside calling it."""

    def loss(self, batch: Batch) -> Tensor:
        return super().loss(batch) + self.model.get_parameter("layers.0.0.weight").square().mean()


toys.PARTS |= {"stacked": Stacked, "writing": Writing, "aside": Aside}


def block(way: str, **keys: object) -> LoopParams:
    """A loop by that way; one process's is `averaged`."""
    full = {"ema": 0.5, "clip": 0.1, "accumulate": 2, "log_every": 1, **keys}
    return loop(STEPS, parallel="averaged" if way == "one" else way, **full)


def go(folder: Path, way: str, ranks: Ranks, kind: str = "stacked", feed: Any = batches, **keys: object) -> Run:
    """Train that part, or go on with it; rank 0 leaves the released tensors in `<folder>.pt`, figures on val."""
    noise = 0.1 if keys.pop("noise", False) else 0.0
    run = toys.run(folder, block(way, **keys), kind, noise, feed, Ranks() if way == "one" else ranks)
    training = train(run)
    tensors, figures = training.tensors(), training.history.figures()["final"]
    if ranks.leads:
        torch.save(tensors, folder.with_suffix(".pt"))
        torch.save(figures, folder / "figures.pt")
    return run


def stopping(k: int, rank: int, world: int) -> Batch:
    """Batches until the checkpoint after the second."""
    if k == 2:
        raise MemoryError
    return batches(k, rank, world)


def spoilt(k: int, rank: int, world: int) -> Batch:
    """Batches; the last rank's second has a value that is no number."""
    batch = batches(k, rank, world)
    if k == 1 and rank == world - 1:
        batch.image_BCHW[-1, 0, 0, 0] = torch.nan
    return batch


def stop(folder: Path, way: str, ranks: Ranks, **keys: object) -> None:
    """Leave a checkpoint after two steps."""
    try:
        go(folder, way, ranks, feed=stopping, **keys)
    except MemoryError:
        return
    raise AssertionError("it was to be stopped")


def refusal(folder: Path, way: str, ranks: Ranks, kind: str) -> str:
    """Why that way is not for that part; "" where it is."""
    try:
        go(folder, way, ranks, kind)
    except UserError as error:
        return str(error)
    return ""


def together(folder: Path, ranks: Ranks) -> None:
    """All that both ranks do."""
    told = {}
    for way in WAYS:
        go(folder / "whole" / way, way, ranks)
        told[way] = dict(go(folder / "spoilt" / way, way, ranks, feed=spoilt).accelerator.skipped)
        go(folder / "noisy" / way, way, ranks, noise=True, amp="bf16")
        stop(folder / "noisy-again" / way, way, ranks, noise=True, amp="bf16")
        go(folder / "noisy-again" / way, way, ranks, noise=True, amp="bf16")
        stop(folder / "stopped" / way, way, ranks)
    for source, way in TURNS:
        if ranks.leads:
            shutil.copytree(folder / "stopped" / source, folder / f"from-{source}" / way)
        ranks.wait()
        go(folder / f"from-{source}" / way, way, ranks)
    for kind in ("writing", "aside"):
        told |= {f"{kind} {way}": refusal(folder / kind / way, way, ranks, kind) for way in WAYS}
    if ranks.leads:
        torch.save(told, folder / "told.pt")


def main(folder: Path) -> None:
    """One process's runs, by rank 0; then both ranks' together."""
    with joined(CPU) as ranks:
        if ranks.leads:
            go(folder / "whole" / "one", "one", Ranks())
            stop(folder / "stopped" / "one", "one", Ranks())
        ranks.wait()
        together(folder, ranks)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
