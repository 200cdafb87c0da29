"""Mean pairwise LPIPS of N samples: the lpips package over all pairs, against the O(N) identity.

Both run on the same backbone: the pretrained one where it is at hand, else random weights (the arithmetic is the same).
"""

import itertools
import time
import warnings
from statistics import median

import torch
from torch import Tensor

from stages.metrics.core.lpips_network import BACKBONES, Lpips
from stages.metrics.core.pair_estimators import AllPairs
from stages.project import weights

GROUP = 64  # images of ours in one forward pass
BATCHED = 16  # pairs in one call of the batched peer


def both(net: str) -> tuple[torch.nn.Module, Lpips]:
    """The package's module and ours, of equal weights."""
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        package = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    own = weights.features(BACKBONES[net]) or {
        f"features.{name.partition('.')[2]}": value for name, value in package.net.state_dict().items()
    }
    for part in package.net.children():
        for index, layer in part.named_children():
            layer.load_state_dict({key: own[f"features.{index}.{key}"] for key in layer.state_dict()})
    return package, Lpips(net, own)


def pair_by_pair(package: torch.nn.Module, samples_NCHW: Tensor, batch: int) -> float:
    """The definition: every pair through the package, `batch` pairs a call."""
    pairs = list(itertools.combinations(range(len(samples_NCHW)), 2))
    total = 0.0
    for start in range(0, len(pairs), batch):
        first, second = zip(*pairs[start : start + batch], strict=True)
        total += float(package(samples_NCHW[list(first)], samples_NCHW[list(second)]).sum())
    return total / len(pairs)


def identity(ours: Lpips, samples_NCHW: Tensor) -> float:
    """The same number by two running sums."""
    estimator = AllPairs()
    for start in range(0, len(samples_NCHW), GROUP):
        rows_ND = ours.embed(samples_NCHW[start : start + GROUP])
        if start == 0:
            estimator.start(rows_ND[:1], len(samples_NCHW))
        for offset, row_D in enumerate(rows_ND):
            estimator.add(start + offset, row_D[None])
    return float(estimator.value())


def rows() -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds), every pair computed, in turn, the median of rounds."""
    cases = [("alex", 64, 100, 1, 1), ("alex", 64, 100, BATCHED, 1), ("alex", 64, 25, 1, 3), ("squeeze", 64, 25, 1, 3)]
    return [_row(*case) for case in cases]


def _row(net: str, size: int, count: int, batch: int, rounds: int) -> tuple[str, float, float]:
    package, ours = both(net)
    samples_NCHW = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    peers, own = [], []
    with torch.inference_mode():
        identity(ours, samples_NCHW[:4]), pair_by_pair(package, samples_NCHW[:4], batch)  # warm up
        for _ in range(rounds):
            own.append(_timed(lambda: identity(ours, samples_NCHW)))
            peers.append(_timed(lambda: pair_by_pair(package, samples_NCHW, batch)))
            own.append(_timed(lambda: identity(ours, samples_NCHW)))
    values = [value for value, _ in (*peers, *own)]
    assert max(values) - min(values) < 1e-5 * max(values), "peer and ours disagree"
    calls = "a pair a call" if batch == 1 else f"{batch} pairs a call"
    name = f"diversity, {net} {size} px N={count}: lpips {calls} / identity"
    return name, median(seconds for _, seconds in peers), median(seconds for _, seconds in own)


def _timed(compute):
    begin = time.perf_counter()
    value = compute()
    return value, time.perf_counter() - begin
