"""Inception score and modified inception score, on Inception's logits without bias, over S splits of the images.

    IS  = mean over splits of exp( mean KL( p(y|x) || p(y) ) ), p(y) the split's mean   (Salimans et al. 2016)
    MIS = mean over splits of exp( -mean entropy of p(y|x) ), in (0, 1]                 (paper 001)

`inception_score_splits10` gives both. IS grows with a split's size, so the splits are part of the name.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor

from stages.contract import UserError
from stages.metrics.core.backbones import backbone
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext, require_images
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import ImageFeatures

NAMES = ("inception_score_splits10",)
BETTER: Better = "higher"
LABELS = {"inception_score": Label("IS", "", "inception score, over splits of the images", "perception", rank=70)}
LEAST_A_SPLIT = 100  # images: paper 001's 1,000 in 10 splits
DEFAULTS = (Default("inception_score_splits10", images=10 * LEAST_A_SPLIT),)
SPELT = re.compile(r"inception_score_splits([1-9]\d*)(_modified)?")


def scores(logits_NM: Tensor, splits: int) -> tuple[float, float]:
    """IS and MIS of n images in their order; splits are neighbours, their sizes differ by one image at most."""
    log_p_NM = logits_NM.double().log_softmax(dim=1)
    bounds = [len(log_p_NM) * i // splits for i in range(splits + 1)]
    parts = [log_p_NM[start:end] for start, end in pairwise(bounds)]
    pairs_S2 = torch.tensor([_of_split(part_NM) for part_NM in parts])
    return float(pairs_S2[:, 0].mean()), float(pairs_S2[:, 1].mean())


def _of_split(log_p_NM: Tensor) -> tuple[float, float]:
    negative_entropy = (log_p_NM.exp() * log_p_NM).sum(dim=1).mean()
    mean_p_M = log_p_NM.exp().mean(dim=0)
    entropy_of_mean = -torch.xlogy(mean_p_M, mean_p_M).sum()
    return float((negative_entropy + entropy_of_mean).exp()), float(negative_entropy.exp())


class InceptionScore:
    """From features; the classifier is applied in the end."""

    def __init__(self, name: str, splits: int, context: MetricContext) -> None:
        self.name, self.splits = name, splits
        self.features = ImageFeatures("inception", context)
        self.rows = self.features.rows
        self.classes_MD = backbone("inception", context.device).get_buffer("classes_MD").cpu()

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        return self.features(batch)

    def whole(self, seen: Mapping[str, Tensor], sets_SN: Tensor) -> Mapping[str, float]:
        """The mean over the sets of one completion an image."""
        logits_NKM = self.features.fake_NKD(seen) @ self.classes_MD.T
        images_N = torch.arange(len(logits_NKM))
        pairs = [scores(logits_NKM[images_N, set_N], self.splits) for set_N in sets_SN]
        mean_2 = torch.tensor(pairs).mean(dim=0)
        return {self.name: float(mean_2[0]), f"{self.name}_modified": float(mean_2[1])}


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(context: MetricContext, name: str) -> InceptionScore:
    """The metric `inception_score_splits<S>`; TooFewError where a split would have too few images."""
    match = SPELT.fullmatch(name)
    if match is None or match[2]:
        raise UserError(f"params: metric {name}: write inception_score_splits<S>, e.g. inception_score_splits10")
    splits = int(match[1])
    require_images(name, LEAST_A_SPLIT * splits, context, f"{LEAST_A_SPLIT} a split")
    return InceptionScore(name, splits, context)
