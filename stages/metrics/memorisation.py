"""`memorisation_<features>`: is a completion nearer to a training image than a new photograph would be?

    |f(completion) - f(its nearest training image)| / |f(image) - f(its own nearest training image)|
1: no nearer than the untouched image is. Well below 1: look at the nearest training images, they may have been copied.
A method without training, or whose training images are not known, has no such number.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.metrics.core.backbones import NETWORKS, backbone, completions
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, Better, MetricContext, TrainingImages
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import load, save
from stages.project import weights

NAMES = tuple(f"memorisation_{network}" for network in NETWORKS)
BETTER: Better = ""
LABELS = {
    "memorisation": Label(
        "Memorisation", "", "distance to the nearest training image, in units of the original's own", "other", rank=10
    )
}
DEFAULTS = ()
ROWS = 1024  # training images compared at once: bounds memory


def nearest(query_ND: Tensor, known_MD: Tensor) -> tuple[Tensor, Tensor]:
    """Euclidean distance to the nearest row of `known`, and which row it is, (N,) each; exact."""
    exact = "donot_use_mm_for_euclid_dist"  # a copy is at distance 0, and not at a root of rounding errors
    parts = [torch.cdist(query_ND, rows_RD, compute_mode=exact).min(dim=1) for rows_RD in known_MD.split(ROWS)]
    rows_PN = torch.stack([part.indices + ROWS * p for p, part in enumerate(parts)])
    best = torch.stack([part.values for part in parts]).min(dim=0)
    return best.values, rows_PN.gather(0, best.indices[None])[0]


class Memorisation:
    """Distances of completions, in units of the original's."""

    def __init__(self, network: str, training_images: TrainingImages, device: torch.device) -> None:
        self.network, self.net = network, backbone(network, device)
        self.known_MD = self._features(training_images, device)

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        fake_BKD = completions(batch, self.network)
        fake_BK = nearest(fake_BKD.flatten(0, 1), self.known_MD)[0].unflatten(0, fake_BKD.shape[:2])
        real_B = nearest(self.net(batch.image_BCHW), self.known_MD)[0]
        return {f"memorisation_{self.network}": fake_BK / real_B[:, None]}

    @torch.inference_mode()
    def _features(self, training_images: TrainingImages, device: torch.device) -> Tensor:
        """Of all training images; kept on disk by their content."""
        path = training_images.place / f"{self.network}-{weights.digest(self.network)}.npz"
        kept_MD = load(path)
        if kept_MD is None:
            kept_MD = torch.cat([self.net(image_BCHW.to(device)).cpu() for image_BCHW in training_images.batches()])
            save(path, kept_MD)
        return kept_MD.to(device)


def needs(name: str) -> str:
    """The weights of the metric `memorisation_<features>`."""
    return name.removeprefix("memorisation_")


def build(context: MetricContext, name: str) -> Memorisation:
    """The metric `memorisation_<features>`; AbsentError where training images are not known."""
    if context.training_images is None:
        raise AbsentError(f"{name} needs the images that the method learnt from; none are known")
    return Memorisation(name.removeprefix("memorisation_"), context.training_images, context.device)
