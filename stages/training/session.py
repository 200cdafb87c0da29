"""One part's training put together: data, parents, part and loop in, a released part out."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.contract import UserError
from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.stream import FixedBatches, TrainStream
from stages.metrics.core import classifier_maps, lpips_network
from stages.project import code, devices, hashing, paths, provenance, signals, tables, weights
from stages.project.files import clear, keep_newest, link_folder, visible
from stages.project.releases import Release, check, publish, read_config, read_trained
from stages.project.seeds import seed_all
from stages.tracking.store import TrackParams
from stages.tracking.training import About, Tracker
from stages.training import model_card
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from stages.training.lenders import LENDERS
from stages.training.loop import Run, Training, train
from stages.training.parts import Plan
from stages.training.workplace import Workplace

KEPT = 3  # finished configurations of a part: one may come back by an edit that is taken back


@dataclass(frozen=True)
class TrainingSession:
    """One part with its data, built and ready to learn."""

    plan: Plan
    run_with: partial[Run]
    accelerator: TorchAccelerator
    config: Mapping[str, Any]  # what config.json tells; the fingerprint is taken over what results depend on
    fingerprint: str

    @classmethod
    def of(cls, plan: Plan, device: torch.device, ranks: Ranks) -> TrainingSession:
        """Open the data, read the parents, build the part. Raises UserError before anything is computed."""
        loop = plan.loop
        seen, val = (Dataset.open(paths.shards(plan.dataset), split) for split in ("train", "val"))
        generator = masks.generator_of(plan.generator) if plan.generator else None
        parents = {name: read_trained(paths.model(plan.method, name)) for name in plan.parents}
        accelerator = TorchAccelerator(plan.title, loop, device, ranks, *LENDERS)
        seed_all(loop.seed, "build")
        part = plan.build(parents, seen.spec, accelerator)
        _refuse_small(plan, seen, accelerator)
        run_with = partial(
            Run,
            part,
            accelerator,
            TrainStream(seen, generator, loop.batch, loop.seed),
            FixedBatches(val, generator, loop.eval_batch, loop.eval_images, loop.seed),
        )
        config = _config(plan, seen, val, accelerator)
        return cls(plan, run_with, accelerator, config, _fingerprint(config, plan))

    def run(self, track: TrackParams) -> None:
        """Train to the end and publish; nothing is done where this very result is there already."""
        ranks, progress = self.accelerator.ranks, paths.progress(self.plan.method, self.plan.name, self.fingerprint)
        place = Workplace(self.plan.title, progress)
        with place.held() if ranks.leads else nullcontext():
            if ranks.any(ranks.leads and self._stands()):
                if ranks.leads:
                    print(f"{self._folder}: trained already, in this very configuration", file=sys.stderr)
            else:
                self._train(progress, track)
            if ranks.leads:
                place.remove_others()
                place.remove()
        ranks.wait()  # the next part reads what rank 0 has published

    def _train(self, progress: Path, track: TrackParams) -> None:
        leads = self.accelerator.ranks.leads
        tags = _tags(self.config, self.fingerprint)
        params = {**self.config["params"], "loop": self.config["loop"]}
        about = About(self.plan.title, params, tags, progress, _parents(self.plan))
        tracker = Tracker(track if leads else TrackParams(backend="none"), about)
        try:
            training = train(self.run_with(progress, tracker))
            tensors = training.tensors()
            if leads:
                self._publish(training, tensors)
                tracker.attach(self._folder / "card.md")
        except (signals.Interrupted, KeyboardInterrupt):
            tracker.end("KILLED")
            raise
        except BaseException:
            tracker.end("FAILED")
            raise
        tracker.end("FINISHED")

    def _publish(self, training: Training, tensors: Mapping[str, Tensor]) -> None:
        metrics = _metrics(training)
        facts = {"Hardware": devices.hardware(self.accelerator.device), "Commit": provenance.commit(), **_versions()}
        if self.plan.choices:
            facts["Choices of ours"] = "; ".join(self.plan.choices)
        networks = sorted({classifier_maps.NETWORKS[net] for net in self.accelerator.in_losses})
        config = {**self.config, "loss_networks": networks, "fingerprint": self.fingerprint}
        frame = training.history.frame()
        release = Release(
            tensors,
            config,
            metrics,
            model_card.render(config, metrics, facts),
            lambda stem: tables.write(frame, stem),
            visible(training.pictures, "*.png"),
        )
        publish(release, self._folder)
        link_folder(self._folder, self._finished)
        keep_newest(self._finished.parent, KEPT)
        print(f"{self._folder}: {_summary(metrics)}")

    @property
    def _folder(self) -> Path:
        return paths.model(self.plan.method, self.plan.name)

    def _stands(self) -> bool:
        """Whether the part is published in this very configuration; put back where DVC has removed it.

        A process that was killed when it published may have left no link of it, and what it had begun to write.
        """
        done = self._is_done(self._folder)
        if done and not self._finished.exists():
            link_folder(self._folder, self._finished)
        elif not done and (done := self._is_done(self._finished)):
            link_folder(self._finished, self._folder)
        for folder in (self._folder, self._finished):
            clear(folder)
        return done

    def _is_done(self, folder: Path) -> bool:
        """Whether a release is whole, to its last picture, and of this configuration."""
        try:
            if read_config(folder).get("fingerprint") != self.fingerprint:
                return False
            check(folder)
        except UserError:
            return False
        return True

    @property
    def _finished(self) -> Path:
        return paths.finished(self.plan.method, self.plan.name, self.fingerprint)


def _config(plan: Plan, seen: Dataset, val: Dataset, accelerator: TorchAccelerator) -> dict[str, Any]:
    return {
        "method": plan.method,
        "part": plan.name,
        "params": plan.params.model_dump(mode="json"),
        "loop": plan.loop.model_dump(mode="json"),
        "spec": asdict(seen.spec),
        "dataset": {"name": plan.dataset, "train": seen.hash, "val": val.hash},
        "masks": {"name": plan.masks, "generator": plan.generator},
        "parents": {name: read_config(paths.model(plan.method, name))["sha256"] for name in plan.parents},
        **lent(accelerator),
        "left_out": accelerator.left_out(),
        "code": code.digest(f"stages.methods.{plan.method}.{plan.name}"),
    }


def _refuse_small(plan: Plan, seen: Dataset, accelerator: TorchAccelerator) -> None:
    """UserError where a network that a loss reads does not fit into the images."""
    asked = ((accelerator.lent, lpips_network.LEAST), (accelerator.lent_features, classifier_maps.LEAST))
    for found, least in asked:
        for net in (net for net, network in found.items() if network is not None):
            if seen.spec.size < least[net]:
                raise UserError(
                    f"{plan.title}: losses on {net} need images of {least[net]} px a side, and {seen.name} has "
                    f"{seen.spec.size}; raise datasets.{seen.name}.size, or name another net"
                )


def lent(accelerator: TorchAccelerator) -> dict[str, dict[str, str]]:
    """Digests of the networks that losses read, by what was asked for and net.

    "features" is there only where some were: a part that asks for none keeps the fingerprint that it had before.
    """
    features = _digests(accelerator.lent_features)
    return {"perceptual": _digests(accelerator.lent), **({"features": features} if features else {})}


def _digests(nets: Iterable[str]) -> dict[str, str]:
    return {net: weights.digest(classifier_maps.NETWORKS[net]) for net in nets}


def _fingerprint(config: Mapping[str, Any], plan: Plan) -> str:
    data = {split: config["dataset"][split] for split in ("train", "val")}
    return hashing.of_values({**config, "loop": plan.loop.lasting(), "dataset": data, "masks": plan.generator})


def _tags(config: Mapping[str, Any], fingerprint: str) -> dict[str, str]:
    method, part = config["method"], config["part"]
    return {
        "commit": provenance.commit(),
        "method": method,
        "part": part,
        "stage": f"{method}@{part}",
        "fingerprint": fingerprint,
        "data": config["dataset"]["train"],
        "left_out": ", ".join(config["left_out"]) or "nothing",
    }


def _parents(plan: Plan) -> dict[str, str]:
    return {name: read_config(paths.model(plan.method, name))["fingerprint"] for name in plan.parents}


def _metrics(training: Training) -> dict[str, Any]:
    """Numbers only, for `dvc metrics`; a figure that is not finite is no number there."""
    loop, figures = training.loop, training.history.figures()
    finite = {way: {n: v for n, v in values.items() if math.isfinite(v)} for way, values in figures.items()}
    return {
        "steps": loop.steps,
        "images": loop.steps * loop.batch,
        "parameters": sum(p.numel() for p in training.run.part.model.parameters()),
        "seconds": round(training.seconds, 1),
        "skipped_steps": sum(training.run.accelerator.skipped.values()),
        **finite,
    }


def _versions() -> dict[str, str]:
    found = provenance.versions(("torch", "torchvision", "numpy"))
    return {"Versions": ", ".join(f"{name} {version}" for name, version in found.items())}


def _summary(metrics: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics["final"].items())
