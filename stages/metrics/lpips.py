"""LPIPS (Zhang et al. 2018, v0.1) as a squared Euclidean distance of one vector an image.

Per layer LPIPS is the spatial mean of sum_c w_c (a_c - b_c)^2 over channel-normalised features a, b. With
e = sqrt(w_c / (H W)) a_c over all layers it is |e(x) - e(y)|^2: what makes diversity over N samples O(N).
The linear weights are the lpips package's own; the backbone is ours to find (`stages.weights`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from stages import weights
from stages.contract import UserError
from stages.metrics.view import AbsentError, Axes, View

BETTER = "lower"
BACKBONES = {"alex": "alexnet", "squeeze": "squeezenet", "vgg": "vgg16"}
LEAST = 32  # pixels a side of a crop: AlexNet sees nothing smaller
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
        self.requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor, other_BCHW: Tensor) -> Tensor:
        return (self.embed(image_BCHW) - self.embed(other_BCHW)).square().sum(dim=1)

    def embed(self, image_BCHW: Tensor) -> Tensor:
        """The vectors e_BD whose squared distances are LPIPS."""
        here_BCHW, layers = self.scale(image_BCHW), []
        for layer_slice, root_1C11 in zip(self.slices, self.roots, strict=True):
            here_BCHW = layer_slice(here_BCHW)
            norm_B1HW = (here_BCHW.square().sum(dim=1, keepdim=True) + TINY).sqrt()
            cells = here_BCHW.shape[2] * here_BCHW.shape[3]
            layers.append((here_BCHW / (norm_B1HW + 1e-10) * root_1C11 * cells**-0.5).flatten(1))
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


@dataclass(frozen=True)
class Seen:
    """A net and what it is shown: the whole image, or (`hole`) the hole's bounding box, as paper 001 does."""

    net: str
    hole: bool

    @classmethod
    def of(cls, axes: str, name: str) -> Seen:
        """From the end of a metric's name, `<net>` or `<net>_hole`; UserError where there is no such net."""
        net = axes.removesuffix("_hole")
        if net not in BACKBONES:
            nets = ", ".join(BACKBONES)
            raise UserError(f"params: metric {name}: it ends in <net> or <net>_hole, the net one of {nets}")
        return cls(net, axes.endswith("_hole"))

    def completions(self, view: View) -> Tensor:
        """e_BKD of a view's judged completions: computed once a view, whichever metrics ask."""
        embed = tower(self.net, view.judged_BKCHW.device).embed
        if not self.hole:
            return view.features(f"lpips_{self.net}", embed)
        return view.once(
            f"lpips_{self.net}_hole", lambda: _stack(map(embed, crops(view.judged_BKCHW, view.known_B1HW)))
        )

    def originals(self, view: View) -> Tensor:
        """e_B1D of a view's images."""
        embed = tower(self.net, view.image_BCHW.device).embed
        if not self.hole:
            return embed(view.image_BCHW)[:, None]
        return _stack(map(embed, crops(view.image_BCHW[:, None], view.known_B1HW)))


def crops(image_BKCHW: Tensor, known_B1HW: Tensor) -> Iterator[Tensor]:
    """Each image's K pictures (K, C, h, w) in its hole's bounding box, which is widened to `LEAST` pixels a side."""
    for image_KCHW, known_1HW in zip(image_BKCHW, known_B1HW, strict=True):
        rows, columns = (_span((known_1HW[0] == 0).any(dim=axis)) for axis in (1, 0))
        yield image_KCHW[..., rows, columns]


def _span(missing_L: Tensor) -> slice:
    """From the first to the last missing place, widened evenly on both sides and shifted into the image."""
    places = missing_L.nonzero().flatten().tolist() or [0, len(missing_L) - 1]
    first, size = places[0], places[-1] + 1 - places[0]
    wide = min(max(size, LEAST), len(missing_L))
    start = min(max(first - (wide - size) // 2, 0), len(missing_L) - wide)
    return slice(start, start + wide)


def _stack(embedded: Iterable[Tensor]) -> Tensor:
    """(B, K, D) of vectors that differ in length by their image: zeros at the end change no distance."""
    rows = [rows_KD.T for rows_KD in embedded]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True).mT


class LpipsToTruth:
    """LPIPS of every completion to its original."""

    def __init__(self, name: str, seen: Seen) -> None:
        self.name, self.seen = name, seen

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        return {self.name: (self.seen.completions(view) - self.seen.originals(view)).square().sum(dim=2)}


def _seen(name: str) -> Seen:
    return Seen.of(name.removeprefix("lpips_"), name)


def needs(name: str) -> str:
    """The weights of the metric `lpips_<net>[_hole]`."""
    return BACKBONES[_seen(name).net]


def build(axes: Axes, name: str) -> LpipsToTruth:
    """The metric `lpips_<net>`, or `lpips_<net>_hole`; AbsentError where its backbone cannot be had."""
    seen = _seen(name)
    tower(seen.net, axes.device)  # known to be there before anything is decoded
    return LpipsToTruth(name, seen)
