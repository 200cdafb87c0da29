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
        self.kept = _load(self.path)
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
            _save(self.path, self.kept)
        return self.kept

    def fake_NKD(self) -> Tensor:
        """The completions' features."""
        return torch.cat(self.fake)


def _load(path: Path | None) -> Tensor | None:
    return torch.from_numpy(np.load(path)) if path and path.is_file() else None


def _save(path: Path | None, features_ND: Tensor) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    np.save(part, features_ND.numpy())
    part.replace(path)
