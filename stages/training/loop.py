"""The one loop: it owns time (batches, seeds, evaluation, checkpoints, logging, signals), the part owns learning.

A run is a pure function of its configuration: step k sees batch k and random numbers seeded by (seed, k, rank), so a
run that was stopped and started again by the same command ends with the same weights, bit for bit on CPU.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Any

import torch
from torch import Tensor, nn

from stages.contract import Batch, Part, UserError
from stages.project import tables
from stages.project.progress import ProgressBar, tell
from stages.project.seeds import seed_all
from stages.project.signals import Interrupted, Signals
from stages.tracking.training import Tracker
from stages.training import pictures
from stages.training.accelerator import TorchAccelerator
from stages.training.checkpoints import Checkpoints
from stages.training.ema import EMA
from stages.training.history import History
from stages.training.loop_params import LoopParams
from stages.training.measuring import Val, measured
from stages.training.prefetch import Batches, Prefetcher, micro_batches, to_device


@dataclass(frozen=True)
class Run:
    """One part's training as the verb puts it together; `folder` keeps its state in progress."""

    part: Part
    accelerator: TorchAccelerator  # knows the run's name, loop params, device and ranks
    batches: Batches
    val: Val
    folder: Path
    tracker: Tracker


def train(run: Run) -> Training:
    """From the newest checkpoint (or the start) to the last step. Raises Interrupted where it was asked to stop."""
    loop, ranks, name = run.accelerator.loop, run.accelerator.ranks, run.accelerator.name
    if loop.batch % (ranks.world * loop.accumulate):
        raise UserError(
            f"{name}: loop.batch = {loop.batch} does not divide into {ranks.world} ranks x {loop.accumulate}"
        )
    training = Training(run)
    start = training.restore()
    if start and ranks.leads:
        tell(f"{name}: resumed at step {start} of {loop.steps}")
    prefetcher = Prefetcher(run.batches, ranks, start, loop.steps, loop.workers)
    with Signals() as signals, ProgressBar(name, loop.steps, start, loop.batch, ranks.leads) as bar, prefetcher:
        if start == 0:
            training.evaluate(0)
        for step in range(start, loop.steps):
            training.advance(prefetcher.next(), step)
            done = step + 1
            bar.show(done, training.log(done) if _due(done, loop.log_every, loop) else None)
            if _due(done, loop.eval_every, loop):
                training.evaluate(done)
            stop = ranks.any(bool(signals.caught))
            if stop or _due(done, loop.save_every, loop):
                training.save(done)
            if stop and done < loop.steps:
                raise Interrupted(signals.caught or SIGTERM, f"{name} after step {done} of {loop.steps}")
    return training


def _due(done: int, every: int, loop: LoopParams) -> bool:
    return done == loop.steps or bool(every and done % every == 0)


class Training:
    """A run's moving state, and what a step, a log line, an evaluation and a checkpoint are."""

    def __init__(self, run: Run) -> None:
        self.run, self.loop, self.ranks = run, run.accelerator.loop, run.accelerator.ranks
        self.ema = EMA(run.part.model, self.loop.ema) if self.loop.ema else None
        self.history = History()
        self.checkpoints = Checkpoints(run.folder)
        self.seconds = 0.0  # spent training, over all processes of the run
        self._since = time.monotonic()
        run.accelerator.attach(run.part.state())

    def advance(self, batch: Batch, step: int) -> None:
        """One step: every micro-batch is learnt from, then ranks and the EMA are brought up to date."""
        run, loop = self.run, self.loop
        seed_all(loop.seed, step, self.ranks.rank)
        batch = self._on_device(batch)
        for micro, piece in enumerate(micro_batches(batch, loop.accumulate)):
            run.accelerator.begin(step, micro)
            with run.accelerator.exchange.stepping():
                self.history.add(run.part.step(piece))
        self.ranks.align(self._modules())
        if self.ema:
            self.ema.update()

    def log(self, done: int) -> dict[str, float]:
        """Fetch the training scalars' means since the last log; tell the tracker."""
        skipped = {f"skipped/{name}": float(count) for name, count in self.run.accelerator.skipped.items()}
        figures = {**self.history.fetch(done, done * self.loop.batch, self.ranks), **skipped}
        self.run.tracker.log({f"train/{name}": value for name, value in figures.items()}, done * self.loop.batch)
        return figures

    def evaluate(self, done: int) -> None:
        """Figures on val, which ranks divide, and pictures, by the averaged weights in eval mode; rank 0 tells them."""
        with self.released(), self.run.accelerator.exchange.whole(), torch.no_grad(), _resting(self._modules()):
            tally = measured(self.run.part, self.run.val, self._on_device, self.loop.seed, self.ranks)
            if self.ranks.leads:
                seed_all(self.loop.seed, "pictures")
                self._tell(done, self.run.part.figures(tally), self.run.part.pictures(self._on_device(self.run.val[0])))
        self.ranks.wait()

    def _tell(self, done: int, figures: dict[str, float], shown: dict[str, Tensor]) -> None:
        images = done * self.loop.batch
        self.history.note(done, images, "val", figures)
        tables.write(self.history.frame(), self.run.folder / "curves")  # for who looks on
        drawn = {name: pictures.grid(image_B3HW) for name, image_B3HW in shown.items()}
        pictures.write(self.pictures, drawn)
        self.run.tracker.log({f"val/{name}": value for name, value in figures.items()}, images)
        self.run.tracker.show(drawn, images)

    @property
    def pictures(self) -> Path:
        """The folder of the latest evaluation's pictures."""
        return self.run.folder / "pictures"

    def released(self) -> AbstractContextManager[None]:
        """Inside, `part.model` bears the weights that are released: the averaged ones where there are any."""
        return self.ema.swapped() if self.ema else nullcontext()

    def tensors(self) -> dict[str, Tensor]:
        """The released weights, by name, copied; all ranks ask together."""
        with self.released():
            state = self.run.accelerator.exchange.gathered(self.run.part.model.state_dict())
            return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    def save(self, done: int) -> None:
        """Publish a checkpoint."""
        state = {"step": done, **self._state()}
        if self.ranks.leads:
            self.run.tracker.flush()  # first: what is logged after a checkpoint is logged again by who goes on from it
            self.checkpoints.save(done, state)
        self.ranks.wait()

    def restore(self) -> int:
        """Take up the newest whole checkpoint; returns how many steps are done."""
        self.ranks.wait()
        state = self.checkpoints.newest() if self.ranks.leads else None
        self.ranks.wait()  # rank 0 has removed what is damaged
        state = state if self.ranks.leads else self.checkpoints.newest()
        self._agree(state["step"] if state else 0)
        if state is None:
            return 0
        exchange = self.run.accelerator.exchange
        for name, value in self.run.part.state().items():
            exchange.load(value, state["part"][name])
        if self.ema:
            exchange.load(self.ema, state["ema"])
        self.history.load_state_dict(state["history"], self.ranks)
        self.run.accelerator.load_state_dict(state["accelerator"])
        self.seconds = state["seconds"]
        return state["step"]

    def _agree(self, step: int) -> None:
        """UserError where ranks have found unlike checkpoints, as on machines that share no folder."""
        if len(set(self.ranks.gather(torch.tensor(step)).tolist())) > 1:
            raise UserError(
                f"{self.run.folder}: ranks find unlike checkpoints here: let all machines share this folder "
                "(PLURIFILL_DATA names the one that holds it)"
            )

    def _state(self) -> dict[str, Any]:
        now = time.monotonic()
        self.seconds, self._since = self.seconds + now - self._since, now
        state = {
            "part": {name: value.state_dict() for name, value in self.run.part.state().items()},
            "ema": self.ema.state_dict() if self.ema else {},
            "history": self.history.state_dict(self.ranks),
            "accelerator": self.run.accelerator.state_dict(),
            "seconds": self.seconds,
        }
        return self.run.accelerator.exchange.gathered(state)

    def _modules(self) -> list[nn.Module]:
        return [value for value in self.run.part.state().values() if isinstance(value, nn.Module)]

    def _on_device(self, batch: Batch) -> Batch:
        return to_device(batch, self.run.accelerator.device, self.loop.channels_last)


@contextmanager
def _resting(modules: Sequence[nn.Module]) -> Iterator[None]:
    """All in eval mode inside; each as it was afterwards."""
    modes = [(module, module.training) for root in modules for module in root.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode
