"""A whole evaluation: PNGs read for each metric, LPIPS a pair a call and sqrtm, against one pass over our store.

The last rows have our own time at the full size as the "peer" of our time at half of it: 2.0x is linear growth.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from stages.contract import Spec
from stages.evaluation import evaluator
from stages.evaluation.passes import Pass
from stages.images.files import read_rgb, write_png
from stages.images.pixels import to_float
from stages.metrics import fd
from stages.metrics.core.backbones import backbone
from stages.metrics.core.contract import MetricContext
from stages.project import weights
from stages.sampling import store
from stages.sampling.store import Completion, SampleStore
from stages.sampling.testsets import TestSet, TestSetParams
from tests.bench.diversity import both
from tests.bench.frechet import peer as sqrtm

SIZE, IMAGES, SAMPLES = 64, 200, 10
METRICS = ("psnr", "ssim_gaussian11", "lpips_alex", "diversity_all_alex", "fd_alexnet")
CPU = torch.device("cpu")
Numbers = dict[str, float]


@dataclass(frozen=True)
class Pictures:
    """Smooth random images, one box hole, and what a test set asks of a dataset and of a mask set."""

    count: int
    name: str = "bench"
    hash: str = ""
    spec: Spec = Spec(SIZE)  # noqa: RUF009 (frozen)

    @property
    def keys(self) -> list[str]:
        return [f"{i:04d}" for i in range(self.count)]

    @property
    def sources(self) -> list[str]:
        return self.keys

    def image(self, index: int) -> np.ndarray:
        coarse_HWC = np.random.default_rng(index).integers(40, 216, (8, 8, 3), dtype=np.uint8)
        return coarse_HWC.repeat(SIZE // 8, axis=0).repeat(SIZE // 8, axis=1)

    def hole(self, key: str) -> np.ndarray:
        hole_HW = np.zeros((SIZE, SIZE), dtype=bool)
        hole_HW[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4] = True
        return hole_HW

    def completion(self, index: int, k: int) -> np.ndarray:
        """Composited: the image, and noise around it in the hole."""
        image_HWC = self.image(index)
        noise_HWC = np.random.default_rng((index, k)).integers(-40, 40, image_HWC.shape)
        return np.where(self.hole("")[..., None], image_HWC + noise_HWC, image_HWC).astype(np.uint8)


def rows() -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds); none without AlexNet's weights, which both use."""
    if weights.find("alexnet") is None:
        print(f"evaluation is left out: {weights.why('alexnet')}", file=sys.stderr)
        return []
    ours(prepared(4, 2))  # warm up
    full = prepared(IMAGES, SAMPLES)
    theirs, peer_s = _timed(peer, full)
    own, ours_s = _timed(ours, full)
    assert all(abs(theirs[name] - own[name]) < 2e-3 * abs(own[name]) for name in own), (theirs, own)
    what = f"evaluation of {IMAGES} images x {SAMPLES} samples, {SIZE} px"
    halves = {
        f"{IMAGES // 2} x {SAMPLES}": (IMAGES // 2, SAMPLES),
        f"{IMAGES} x {SAMPLES // 2}": (IMAGES, SAMPLES // 2),
    }
    grown = [(f"{what}: against {name}", ours_s, _timed(ours, prepared(*size))[1]) for name, size in halves.items()]
    return [(f"{what}: a metric at a time", peer_s, ours_s), *grown]


@dataclass(frozen=True)
class Prepared:
    """The same completions as a folder of PNGs and as a finished test set of ours."""

    folder: tempfile.TemporaryDirectory
    testset: TestSet
    finished: SampleStore

    def png(self, index: int, k: int) -> np.ndarray:
        return read_rgb(Path(self.folder.name) / f"{index:04d}" / f"{k:02d}.png")


def prepared(images: int, samples: int) -> Prepared:
    """Written to a folder of their own."""
    folder, pictures = tempfile.TemporaryDirectory(), Pictures(images)
    place, completions = Path(folder.name) / "store", []
    for i, key in enumerate(pictures.keys):
        for k in range(samples):
            made_HWC = pictures.completion(i, k)
            write_png(Path(folder.name) / key / f"{k:02d}.png", made_HWC)
            data, sha256 = store.encode(made_HWC)
            completions.append((Completion(key, key, k, 0, sha256, 0.25), data))
    size = 6 * samples  # pieces as `plurifill sample` makes them
    parts = [completions[start : start + size] for start in range(0, len(completions), size)]
    store.finish(place, [store.write_piece(place, n, part, [], 0, {}) for n, part in enumerate(parts)], {})
    params = TestSetParams(dataset="bench", masks="box", samples=samples)
    testset = TestSet("bench", params, pictures, pictures, tuple(range(images)))
    return Prepared(folder, testset, SampleStore.open(place))


def ours(given: Prepared) -> Numbers:
    """One pass; every number a mean over images and samples."""
    # the pass is timed: that few images tell little is no matter
    context = MetricContext(CPU, fd.LEAST["alexnet"])
    scored = evaluator.score(Pass(given.finished, given.testset, True, METRICS, context))
    tables = {name: frame for name, frame in scored.tables.items() if name != evaluator.HOLE_RATIO}
    means = {name: float(frame["value"].mean()) for name, frame in tables.items()}
    sets_SN = torch.arange(given.testset.params.samples)[:, None].expand(-1, len(given.testset.keys))
    return means | dict(scored.set_metrics["fd_alexnet"].whole(scored.rows, sets_SN))


def peer(given: Prepared) -> Numbers:
    """As one does who has the packages and a folder: metric by metric, pair by pair."""
    package, _ = both("alex")
    images, samples = len(given.testset.keys), given.testset.params.samples
    every = list(itertools.product(range(images), range(samples)))
    whole = given.testset.dataset.image
    pairs = [(i, a, b) for i in range(images) for a, b in itertools.combinations(range(samples), 2)]
    ssim = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 2}
    with torch.inference_mode():
        return {
            "psnr": _mean(peak_signal_noise_ratio(whole(i), given.png(i, k)) for i, k in every),
            "ssim_gaussian11": _mean(structural_similarity(whole(i), given.png(i, k), **ssim) for i, k in every),
            "lpips_alex": _mean(package(_one(whole(i)), _one(given.png(i, k))).item() for i, k in every),
            "diversity_all_alex": _mean(
                package(_one(given.png(i, a)), _one(given.png(i, b))).item() for i, a, b in pairs
            ),
            "fd_alexnet": _frechet(given, images, samples),
        }


def _frechet(given: Prepared, images: int, samples: int) -> float:
    net = backbone("alexnet", CPU)
    real_ND = np.stack([net(_one(given.testset.dataset.image(i)))[0].double().numpy() for i in range(images)])
    sets = (np.stack([net(_one(given.png(i, k)))[0].double().numpy() for i in range(images)]) for k in range(samples))
    return _mean(sqrtm(real_ND, fake_ND) for fake_ND in sets)


def _one(image_HWC: np.ndarray) -> torch.Tensor:
    return to_float(image_HWC[None])


def _mean(values) -> float:
    return float(np.mean(list(values)))


def _timed(compute, given: Prepared) -> tuple[Numbers, float]:
    begin = time.perf_counter()
    numbers = compute(given)
    return numbers, time.perf_counter() - begin
