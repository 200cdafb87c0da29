"""LPIPS (Zhang et al. 2018, v0.1) as a squared Euclidean distance of one vector an image.

Per layer LPIPS is the spatial mean of sum_c w_c (a_c - b_c)^2 over channel-normalised features a, b. With
e = sqrt(w_c / (H W)) a_c over all layers it is |e(x) - e(y)|^2: what makes diversity over N samples O(N).
The linear weights are the lpips package's own; the backbone is ours to find (`stages.project.weights`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor, nn

from stages.metrics.core.contract import AbsentError
from stages.project import weights

BACKBONES = {"alex": "alexnet", "squeeze": "squeezenet", "vgg": "vgg16"}
LEAST = {"alex": 31, "squeeze": 17, "vgg": 16}  # pixels a side: below, a pooling has nothing left
TINY = 1e-20  # under the root: a zero feature vector stays zero and its gradient finite (the package's is NaN there)


class Lpips(nn.Module):
    """LPIPS of two batches in [-1, 1], (B, 3, H, W) -> (B,); differentiable, its own weights frozen."""

    def __init__(self, net: str, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        import lpips  # here: it takes seconds, and most metrics do without it

        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():  # its random backbone is replaced at once
            warnings.simplefilter("ignore", UserWarning)
            package = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
        self.scale, self.slices = package.scaling_layer, nn.ModuleList(package.net.children())
        self.roots = nn.ParameterList(lin.model[-1].weight.sqrt() for lin in package.lins)
        for layer_slice in self.slices:
            for index, layer in layer_slice.named_children():
                own = {key: tensors[f"features.{index}.{key}"] for key in layer.state_dict()}
                layer.load_state_dict(own)
        self.to(memory_format=torch.channels_last).requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor, other_BCHW: Tensor) -> Tensor:
        return (self.embed(image_BCHW) - self.embed(other_BCHW)).square().sum(dim=1)

    def embed(self, image_BCHW: Tensor) -> Tensor:
        """The vectors e_BD whose squared distances are LPIPS."""
        here_BCHW, layers = self.scale(image_BCHW).contiguous(memory_format=torch.channels_last), []
        for layer_slice, root_1C11 in zip(self.slices, self.roots, strict=True):
            here_BCHW = layer_slice(here_BCHW)
            here_BHWC = here_BCHW.permute(0, 2, 3, 1)  # as it lies in memory
            norm_BHW1 = (here_BHWC.square().sum(dim=-1, keepdim=True) + TINY).sqrt() + 1e-10
            cells = here_BCHW.shape[2] * here_BCHW.shape[3]
            layers.append((here_BHWC * (cells**-0.5 / norm_BHW1) * root_1C11.flatten()).flatten(1))
        return torch.cat(layers, dim=1)


def distance(net: str) -> Lpips | None:
    """LPIPS on `net` (alex, squeeze, vgg), on the CPU; None where its backbone cannot be had (`weights.why`)."""
    tensors = weights.features(BACKBONES[net])
    return None if tensors is None else Lpips(net, tensors)


@cache
def tower(net: str, device: torch.device) -> Lpips:
    """LPIPS on a device, built once a process; AbsentError where its backbone cannot be had."""
    found = distance(net)
    if found is None:
        raise AbsentError(weights.why(BACKBONES[net]))
    return found.to(device)
