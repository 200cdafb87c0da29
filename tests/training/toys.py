"""Parts so small that theorems about the loop are checked in milliseconds, and a run of one of them from a shell."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from stages.contract import Accelerator, Batch, Stateful
from stages.losses.tally import Tally
from stages.project.seeds import derive, seed_all
from stages.tracking.store import TrackParams
from stages.tracking.training import About, Tracker
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks, joined
from stages.training.loop import Run, Training, train
from stages.training.loop_params import LoopParams
from stages.training.prefetch import Batches

CPU = torch.device("cpu")
BATCH, SIZE = 8, 8


def batches(k: int, rank: int, world: int) -> Batch:
    """Batch k: BATCH random images with half of each hidden; ranks take contiguous slices."""
    draw = torch.Generator().manual_seed(derive(0, k))
    image_BCHW = torch.rand(BATCH, 3, SIZE, SIZE, generator=draw) * 2 - 1
    known_B1HW = torch.ones(BATCH, 1, SIZE, SIZE)
    known_B1HW[..., SIZE // 2 :] = 0
    share = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
    keys = tuple(f"{k}-{i}" for i in range(BATCH))
    return Batch(image_BCHW[share], known_B1HW[share], keys[share], torch.arange(BATCH)[share])


VAL = [batches(k, 0, 1) for k in (1000, 1001, 1002)]


def net(outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, outputs, 3, padding=1))


class Plain:
    """Fills in images; `noise` makes a step depend on torch's random numbers."""

    def __init__(self, accelerator: Accelerator, noise: float = 0.0, lr: float = 1e-2) -> None:
        self.accelerator, self.noise = accelerator, noise
        self.model = accelerator.prepare(net(3))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr)

    def loss(self, batch: Batch) -> Tensor:
        blanked_BCHW = batch.image_BCHW * batch.known_B1HW
        noise_BCHW = self.noise * torch.randn_like(blanked_BCHW)
        with self.accelerator.autocast():
            return (self.model(blanked_BCHW + noise_BCHW).float() - batch.image_BCHW).square().mean()

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        loss = self.loss(batch)
        self.accelerator.minimize(loss, self.optimizer)
        return {"loss": loss.detach()}

    def measure(self, batch: Batch) -> Tally:
        tally = Tally()
        tally.mean("mse", self.loss(batch))
        return tally

    def figures(self, tally: Tally) -> dict[str, float]:
        return tally.means()

    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        return {"filled": self.model(batch.image_BCHW * batch.known_B1HW)}

    def state(self) -> dict[str, Stateful]:
        return {"model": self.model, "optimizer": self.optimizer}


class Gan(Plain):
    """The same beside a discriminator with R1: two optimisers, a double backward, a generator's loss through both."""

    def __init__(self, accelerator: Accelerator, noise: float = 0.0, lr: float = 1e-2) -> None:
        super().__init__(accelerator, noise, lr)
        self.critic = accelerator.prepare(net(1))
        self.critic_optimizer = torch.optim.SGD(self.critic.parameters(), lr)

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        raw_BCHW = self.model(batch.image_BCHW * batch.known_B1HW)
        fooled = -self.critic(raw_BCHW).mean() + (raw_BCHW - batch.image_BCHW).square().mean()
        self.accelerator.minimize(fooled, self.optimizer)
        real_BCHW = batch.image_BCHW.clone().requires_grad_(True)
        real = self.critic(real_BCHW)
        (slope_BCHW,) = torch.autograd.grad(real.sum(), real_BCHW, create_graph=True)
        told = (self.critic(raw_BCHW.detach()) - real).mean() + 0.1 * slope_BCHW.square().sum((1, 2, 3)).mean()
        self.accelerator.minimize(told, self.critic_optimizer)
        return {"fooled": fooled.detach(), "told": told.detach()}

    def state(self) -> dict[str, Stateful]:
        return {**super().state(), "critic": self.critic, "critic_optimizer": self.critic_optimizer}


PARTS = {"plain": Plain, "gan": Gan}


def bench(loop: LoopParams, ranks: Ranks | None = None) -> TorchAccelerator:
    return TorchAccelerator("toys/toy", loop, CPU, ranks or Ranks(), *(lambda _: None,) * 3)


def run(
    folder: Path,
    loop: LoopParams,
    kind: str = "plain",
    noise: float = 0.0,
    feed: Batches = batches,
    ranks: Ranks | None = None,
    track: TrackParams | None = None,
) -> Run:
    accelerator = bench(loop, ranks)
    seed_all(loop.seed, "build")
    about = About("toys/toy", {"noise": noise, "loop": loop.model_dump()}, {"part": "toy"}, folder)
    tracker = Tracker(track or TrackParams(backend="none"), about)
    return Run(PARTS[kind](accelerator, noise), accelerator, feed, VAL, folder, tracker)


def loop(steps: int = 4, **keys: object) -> LoopParams:
    return LoopParams.model_validate({"steps": steps, "batch": BATCH, "save_every": 2, "amp": "off", **keys})


def go(folder: Path, block: LoopParams, **keys: object) -> Training:
    return train(run(folder, block, **keys))  # type: ignore[arg-type]


def main(folder: Path, kill_at: int) -> None:
    """Train both toys; where `kill_at` is not negative, die by SIGKILL when that batch is asked for."""

    def feed(k: int, rank: int, world: int) -> Batch:
        if k == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return batches(k, rank, world)

    with joined(CPU) as ranks:
        for kind in ("plain", "gan"):
            noise = 0.1 if ranks.world == 1 else 0.0  # each rank draws its own
            done = train(run(folder / kind, loop(ema=0.5), kind, noise, feed, ranks))
            if ranks.leads:
                torch.save(done.tensors(), folder / f"{kind}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]))
