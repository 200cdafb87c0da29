"""The whole method at its smallest: 32 px, without and with label maps of three classes, and what it is shown."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from stages.contract import NO_CLASS, Batch, Guidance, Request, Spec, Trained
from stages.images.pixels import blank
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.small import Small, learn

SIZE, CLASSES = 32, 3
WIDTHS: dict[str, Any] = {"base": 64, "most": 8, "latent": 8, "mapping_layers": 2}  # of the generator
SMALL: dict[str, dict[str, Any]] = {
    "prior": WIDTHS,
    "encoder": {
        "width": 4,
        "bottlenecks": 1,
        "perceptual": "lpips",
        "discriminator_width": 4,
        "fidelity": 0.5,
        "mean": {"samples": 16, "every": 2, "tau": 0.25},
        "lr": 3e-3,
    },
    "inpaint": {},
}
PLAIN, LABELLED = (Small("mm_invertfill", SMALL, Spec(SIZE, classes)) for classes in (0, CLASSES))


def blocks(k: int, count: int = 2, labelled: bool = True) -> Batch:
    """Random coloured blocks, a box missing in the middle, classes by blocks with a corner unlabelled; of k alone."""
    draw, side = torch.Generator().manual_seed(k), SIZE // 4
    image_BCHW = nn.functional.interpolate(torch.rand(count, 3, 4, 4, generator=draw) * 2 - 1, size=SIZE)
    known_B1HW = torch.ones(count, 1, SIZE, SIZE)
    known_B1HW[:, :, side:-side, side:-side] = 0
    coarse_BHW = torch.randint(CLASSES, (count, 4, 4), generator=draw)
    labels_BHW = coarse_BHW.repeat_interleave(side, 1).repeat_interleave(side, 2)
    labels_BHW[:, :side, :side] = NO_CLASS
    keys, seeds_B = tuple(map(str, range(count))), torch.arange(count) + 1000 * k
    return Batch(image_BCHW, known_B1HW, keys, seeds_B, labels_BHW if labelled else None)


def request(k: int = 7, count: int = 2, samples: int = 2, guidance: Guidance | None = None) -> Request:
    """Blanked images and seeds."""
    batch = blocks(k, count)
    seeds_BK = torch.arange(count * samples).view(count, samples)
    return Request(blank(batch.image_BCHW, batch.known_B1HW), batch.known_B1HW, seeds_BK, guidance)


def maps(k: int = 7, count: int = 2) -> Guidance:
    """Random edges known on the left, labels known below."""
    draw, masks = torch.Generator().manual_seed(k), torch.ones(2, count, 1, SIZE, SIZE)
    masks[0, ..., SIZE // 2 :], masks[1, ..., : SIZE // 2, :] = 0, 0
    edges_B1HW = (torch.rand(count, 1, SIZE, SIZE, generator=draw) < 0.2).float()
    labels_BHW = blocks(k, count).labels_BHW
    return Guidance(edges_B1HW, masks[0], labels_BHW, masks[1])


def untrained(made: Small) -> Trained:
    """The generator as released before any step, with all its params."""
    part = made.part("prior", {}, PlainTools(mean_square))
    return made.release("prior", part, **part.params.model_dump(mode="json"))


def noisy(trained: Trained, strength: float = 0.3) -> Trained:
    """The generator with noise of that strength in all layers."""
    tensors = {
        name: torch.full_like(value, strength) if name.endswith("strength") else value
        for name, value in trained.tensors.items()
    }
    return Trained(trained.params, trained.spec, tensors)


def bridged(model: nn.Module) -> None:
    """Lets a young encoder's maps be added to the generator's, which begin at 0."""
    draw = torch.Generator().manual_seed(0)
    for name, value in model.named_parameters():
        if "bridge" in name and name.endswith("leave.weight"):
            value.data = torch.randn(value.shape, generator=draw) / 10


def born(made: Small) -> dict[str, Trained]:
    """prior, whose noise is heard, and encoder after a few steps, as released."""
    accelerator = PlainTools(mean_square)
    parents = {"prior": noisy(untrained(made))}
    part = made.part("encoder", parents, accelerator)
    learn(part, lambda k: blocks(k, labelled=made.spec.classes > 0), range(3))
    bridged(part.model)
    return {**parents, "encoder": made.release("encoder", part)}


def near(one: Tensor, other: Tensor) -> bool:
    """Equal up to the rounding of sums of another order."""
    return bool((one - other).abs().max() < 1e-4)
