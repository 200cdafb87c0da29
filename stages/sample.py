"""`plurifill sample METHOD`: the method's samples of every test set in params.yaml, every variant an entry of its own.

Run again to go on: finished pieces are taken over, damaged ones made again. Everything lies in progress, outside
DVC's outs, until all test sets of the method are complete; then it is published at once in data/samples/<method>/.
With `--part I/N` only a share of the pieces is made: N workers of one data/ divide the work, and the same command
without it takes over what they made.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stages.cli import options
from stages.contract import Params
from stages.metrics.core.classifier_maps import NETWORKS
from stages.project import code, devices, hashing, locks, paths
from stages.project.entries import Entry
from stages.project.files import atomic_folder, keep_newest, link_folder
from stages.project.params import dig, read
from stages.project.releases import read_config
from stages.sampling import inpainters, shares, store, testsets
from stages.sampling.external import results
from stages.sampling.sampler import Sampler, Source, Work, fill
from stages.sampling.shares import Share
from stages.sampling.testsets import TestSet

KEPT = 3  # finished configurations of an entry's samples: one may come back by an edit that is taken back
PATIENCE_S = 20.0  # for another process that draws the method's samples to end
CODE = ("stages.sampling.sampler", "stages.sampling.testsets")  # what samples depend on beside the method's own code


def main(
    method: options.Method,
    set_: options.Set = None,
    limit: options.Limit = 0,
    device: options.Device = "",
    batch_size: options.PieceBatch = 0,
    part: options.Part = "",
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Draw the method's samples of every test set of params.yaml; run again to go on."""
    share = Share.parse(part) if part else None
    values = read(params, set_ or ())
    names = list(dig(values, "testsets"))
    opened = [testsets.open_testset(name, testsets.read(values, name), limit or None) for name in names]
    on = devices.choose(device)
    work = list(_works(values, method, opened, on, batch_size))
    busy = f"{paths.samples(method)}: another process draws {method}'s samples; wait for it, or stop it"
    with locks.held(paths.progress(method, "samples", "").with_suffix(".lock"), PATIENCE_S, busy, shared=bool(share)):
        for one, description in work:
            _take_back(one, description["fingerprint"])
            shares.fill(one, share) if share else fill(one, description)
        if not share:
            _publish(method, [one for one, _ in work])


def _works(
    values: Mapping[str, Any], method: str, opened: list[TestSet], device: torch.device, batch: int
) -> Iterator[tuple[Work, dict[str, Any]]]:
    """Every entry on every test set, with what is told about it; nothing is loaded yet."""
    parents = {part: read_config(paths.model(method, part)) for part in inpainters.module(method).PARENTS}
    networks = sorted({network for config in parents.values() for network in loss_networks(config)})
    trained = {part: config["params"] for part, config in parents.items()}
    names = [testset.name for testset in opened]
    for entry in inpainters.entries(values, method):
        params = inpainters.params(values, entry)
        covered = results.covered(entry, names) if inpainters.is_external(method) else names
        sampler = Sampler(partial(inpainters.load, values, entry, device), device)
        for testset in (testset for testset in opened if testset.name in covered):
            _refuse_other_size(method, params, parents, testset)
            source: Source = results.read(entry, params, testset) if inpainters.is_external(method) else sampler
            description = _description(entry, testset, params, parents, source)
            place = paths.progress(method, "samples", description["fingerprint"])
            told = {**description, "device": devices.hardware(device), "torch": torch.__version__}
            told |= {"loss_networks": networks, "raw": inpainters.raw_output(method, params, trained)}
            yield Work(testset, entry, source, place, batch), told


def loss_networks(config: Mapping[str, Any]) -> Sequence[str]:
    """The pretrained networks that a part's losses read; earlier versions' releases tell which were lent to it."""
    lent = {**config.get("perceptual", {}), **config.get("features", {})}
    return config.get("loss_networks", [NETWORKS[net] for net, digest in lent.items() if digest != "absent"])


def _refuse_other_size(method: str, params: Params, parents: Mapping[str, Mapping[str, Any]], testset: TestSet) -> None:
    size, learnt = testset.dataset.spec.size, {config["spec"]["size"] for config in parents.values()}
    if learnt - {size}:
        parts = {part: config["params"] for part, config in parents.items()}
        where = f"testsets.{testset.name}, {testset.dataset.name}"
        inpainters.refuse_size(where, method, params, parts, max(learnt - {size}), size)


def _description(
    entry: Entry, testset: TestSet, params: Params, parents: Mapping[str, Mapping[str, Any]], source: Source
) -> dict[str, Any]:
    """What tells of an entry's samples; its fingerprint covers all that they depend on, the code included."""
    told = {
        "entry": str(entry),
        "method": entry.method,
        "folder": entry.folder,
        **testset.identity(),
        "params": params.model_dump(mode="json"),
        "parents": {part: config["sha256"] for part, config in parents.items()},
        "trained_on": sorted({config["dataset"]["name"] for config in parents.values()}),
        "code": code.digest(inpainters.module_name(entry.method), *CODE),
    }
    told |= source.told if isinstance(source, results.ExternalResults) else {}
    return {**told, "fingerprint": hashing.of_values(told)}


def _take_back(work: Work, fingerprint: str) -> None:
    """Samples of this very configuration that were published earlier go on from there."""
    method, lock = work.entry.method, work.place.with_suffix(".lock")
    published = paths.samples(method) / work.testset.name / work.entry.folder
    with locks.held(lock, math.inf, ""):  # one of the shares at a time: what another has begun is not replaced
        for place in (published, paths.finished(method, "samples", fingerprint)):
            if not work.place.exists() and store.fingerprint(place) == fingerprint:
                link_folder(place, work.place)
        lock.unlink()


def _publish(method: str, works: list[Work]) -> None:
    """Links first, the progress folders go last: whenever this is killed, nothing drawn is lost."""
    published = paths.samples(method)
    with atomic_folder(published) as part:  # empty where a method has no entry (external, by default)
        for work in works:
            link_folder(work.place, part / work.testset.name / work.entry.folder)
    for work in works:
        _keep(work.place, paths.finished(method, "samples", work.place.name), KEPT * len(works))
        shutil.rmtree(work.place)
        print(published / work.testset.name / work.entry.folder)


def _keep(samples: Path, finished: Path, count: int) -> None:
    link_folder(samples, finished)
    keep_newest(finished.parent, count)
