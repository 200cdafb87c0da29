"""Features of a whole set, real and completed, for set-level metrics. The real ones are kept on disk by content."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages import weights
from stages.metrics.backbones import backbone, completions
from stages.metrics.view import Axes, View


class Collected:
    """Sees every view; then gives real_ND and fake_NKD, images in the order in which they were seen."""

    def __init__(self, network: str, axes: Axes) -> None:
        self.network, self.net = network, backbone(network, axes.device)
        self.path = axes.real / f"{network}-{weights.digest(network)}.npy" if axes.real else None
        self.kept = load(self.path) if self.path else None
        self.real: list[Tensor] = []
        self.parts: list[Tensor] = []
        self.fake: list[Tensor] = []

    def see(self, view: View) -> None:
        """Take in a view's features."""
        if view.first == 0 and self.kept is None:
            self.real.append(self.net(view.image_BCHW).cpu())
        self.parts.append(completions(view, self.network).cpu())
        if view.ends:
            self.fake.append(torch.cat(self.parts, dim=1))
            self.parts = []

    def real_ND(self) -> Tensor:
        """The real images' features, computed once for all methods."""
        if self.kept is None:
            self.kept = torch.cat(self.real)
            if self.path:
                save(self.path, self.kept)
        return self.kept

    def fake_NKD(self) -> Tensor:
        """The completions' features."""
        self.fake = [torch.cat(self.fake)]
        return self.fake[0]


def load(path: Path) -> Tensor | None:
    """Features that `save` left; None where there are none."""
    return torch.from_numpy(np.load(path)) if path.is_file() else None


def save(path: Path, features_ND: Tensor) -> None:
    """Features as a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    np.save(part, features_ND.numpy())
    part.replace(path)
