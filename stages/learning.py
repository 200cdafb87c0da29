"""One part's training put together: data, parents, part and loop in, a released part out."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from stages import places, provenance, tables, weights
from stages.contract import UserError
from stages.engine import card, fingerprint, journal, lock, signals
from stages.engine import device as devices
from stages.engine.distributed import Ranks
from stages.engine.loop import Run, Training, train
from stages.engine.parts import Plan
from stages.engine.release import Release, publish, read_config, read_trained
from stages.engine.seed import seed_all
from stages.engine.tools import Workbench
from stages.engine.tracking.store import TrackParams
from stages.engine.tracking.training import About, Tracker
from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.stream import TrainStream, fixed
from stages.metrics import lpips

PATIENCE_S = 20.0  # for a process that was asked to stop to save its state


@dataclass(frozen=True)
class Learning:
    """One part with its data, built and ready to learn."""

    plan: Plan
    run_with: partial[Run]
    tools: Workbench
    config: Mapping[str, Any]  # what config.json tells; the fingerprint is taken over what results depend on
    mark: str

    @classmethod
    def of(cls, plan: Plan, device: torch.device, ranks: Ranks) -> Learning:
        """Open the data, read the parents, build the part. Raises UserError before anything is computed."""
        loop = plan.loop
        seen, val = (Dataset.open(places.shards(plan.dataset), split) for split in ("train", "val"))
        law = masks.law(plan.law) if plan.law else None
        parents = {name: read_trained(places.model(plan.method, name)) for name in plan.parents}
        tools = Workbench(plan.title, loop, device, ranks, lpips.distance)
        seed_all(loop.seed, "build")
        part = plan.build(parents, seen.spec, tools)
        run_with = partial(
            Run,
            part,
            tools,
            TrainStream(seen, law, loop.batch, loop.seed),
            fixed(val, law, loop.eval_batch, loop.eval_images, loop.seed),
        )
        config = _config(plan, seen, val, tools)
        return cls(plan, run_with, tools, config, _fingerprint(config, plan))

    def run(self, track: TrackParams) -> None:
        """Train to the end and publish; nothing is done where this very result is there already."""
        ranks, progress = self.tools.ranks, places.progress(self.plan.method, self.plan.name, self.mark)
        with self._lock(progress):
            if ranks.any(ranks.leads and self._is_done()):
                if ranks.leads:
                    print(f"{self._folder}: trained already, in this very configuration", file=sys.stderr)
            else:
                self._train(progress, track)
            if ranks.leads:
                _remove_stale(progress)
        ranks.wait()  # the next part reads what rank 0 has published

    def _train(self, progress: Path, track: TrackParams) -> None:
        leads = self.tools.ranks.leads
        tags = _tags(self.config, self.mark)
        params = {**self.config["params"], "loop": self.config["loop"]}
        about = About(self.plan.title, params, tags, progress, _parents(self.plan))
        tracker = Tracker(track if leads else TrackParams(backend="none"), about)
        try:
            training = train(self.run_with(progress, tracker))
            if leads:
                self._publish(training)
                tracker.attach(self._folder / "card.md")
        except (signals.Interrupted, KeyboardInterrupt):
            tracker.end("KILLED")
            raise
        except BaseException:
            tracker.end("FAILED")
            raise
        tracker.end("FINISHED")

    def _publish(self, training: Training) -> None:
        metrics = _metrics(training)
        facts = {"Hardware": devices.hardware(self.tools.device), "Commit": provenance.commit(), **_versions()}
        if self.plan.choices:
            facts["Choices of ours"] = "; ".join(self.plan.choices)
        config = {**self.config, "fingerprint": self.mark}
        frame = pd.DataFrame(training.journal.rows, columns=list(journal.COLUMNS))
        release = Release(
            training.tensors(),
            config,
            metrics,
            card.render(config, metrics, facts),
            lambda stem: tables.write(frame, stem),
            sorted(training.pictures.glob("*.png")),
        )
        publish(release, self._folder)
        print(f"{self._folder}: {_summary(metrics)}")

    @property
    def _folder(self) -> Path:
        return places.model(self.plan.method, self.plan.name)

    def _is_done(self) -> bool:
        """Whether the released part is whole and of this configuration."""
        try:
            if read_config(self._folder).get("fingerprint") != self.mark:
                return False
            read_trained(self._folder)
        except UserError:
            return False
        return True

    def _lock(self, progress: Path) -> AbstractContextManager[None]:
        if not self.tools.ranks.leads:
            return nullcontext()
        busy = f"{progress}: another process trains {self.plan.title} in this configuration; wait for it, or stop it"
        return lock.held(progress / "lock", PATIENCE_S, busy)


def _config(plan: Plan, seen: Dataset, val: Dataset, tools: Workbench) -> dict[str, Any]:
    return {
        "method": plan.method,
        "part": plan.name,
        "params": plan.params.model_dump(mode="json"),
        "loop": plan.loop.model_dump(mode="json"),
        "spec": asdict(seen.spec),
        "dataset": {"name": plan.dataset, "train": seen.hash, "val": val.hash},
        "masks": {"name": plan.masks, "law": plan.law},
        "parents": {name: read_config(places.model(plan.method, name))["sha256"] for name in plan.parents},
        "perceptual": {net: weights.digest(lpips.BACKBONES[net]) for net in tools.lent},
        "left_out": tools.left_out(),
        "code": fingerprint.of_file(Path(str(plan.module.__file__))),
    }


def _fingerprint(config: Mapping[str, Any], plan: Plan) -> str:
    data = {split: config["dataset"][split] for split in ("train", "val")}
    return fingerprint.of_values({**config, "loop": plan.loop.lasting(), "dataset": data, "masks": plan.law})


def _tags(config: Mapping[str, Any], mark: str) -> dict[str, str]:
    method, part = config["method"], config["part"]
    return {
        "commit": provenance.commit(),
        "method": method,
        "part": part,
        "stage": f"{method}@{part}",
        "fingerprint": mark,
        "data": config["dataset"]["train"],
        "left_out": ", ".join(config["left_out"]) or "nothing",
    }


def _parents(plan: Plan) -> dict[str, str]:
    return {name: read_config(places.model(plan.method, name))["fingerprint"] for name in plan.parents}


def _metrics(training: Training) -> dict[str, Any]:
    """Numbers only, for `dvc metrics`; a figure that is not finite is no number there."""
    loop, figures = training.loop, training.journal.figures()
    finite = {way: {n: v for n, v in values.items() if math.isfinite(v)} for way, values in figures.items()}
    return {
        "steps": loop.steps,
        "images": loop.steps * loop.batch,
        "parameters": sum(p.numel() for p in training.run.part.model.parameters()),
        "seconds": round(training.seconds, 1),
        "skipped_steps": sum(training.run.tools.skipped.values()),
        **finite,
    }


def _versions() -> dict[str, str]:
    found = provenance.versions(("torch", "torchvision", "numpy"))
    return {"Versions": ", ".join(f"{name} {version}" for name, version in found.items())}


def _summary(metrics: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics["final"].items())


def _remove_stale(progress: Path) -> None:
    """This configuration is finished, others of the part are of no use, but for those being trained just now."""
    shutil.rmtree(progress)
    for other in progress.parent.iterdir():
        if lock.is_free(other / "lock"):
            shutil.rmtree(other, ignore_errors=True)
