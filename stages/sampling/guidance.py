"""What guides the completions of a person's pictures: maps of their own, and what a method makes where they give none.

What guides those of test images is the sampler's business, since samples hang on it (`stages/sampling/sampler.py`).
"""

from __future__ import annotations

from dataclasses import fields, replace

import torch
from torch import Tensor

from stages.contract import Guidance, Guided, Inpainter
from stages.sampling import windows
from stages.sampling.maps import Maps
from stages.sampling.windows import Window


def seen(maps: Maps, window: Window, size: int | None) -> Guidance:
    """A picture's maps as a network of `size` (None: any) is given them, B = 1."""
    edges = (None, None) if maps.edges_HW is None else windows.see_edges(maps.edges_HW, window, size)
    labels = (None, None) if maps.labels_HW is None else windows.see_labels(maps.labels_HW, window, size)
    return Guidance(*edges, *labels)


def of_picture(inpainter: Inpainter, image_BCHW: Tensor, known_B1HW: Tensor, given: Guidance) -> Guidance | None:
    """What guides the completions of a blanked image: the maps given, and the method's own for those that are not.

    An ablation whose guidance is the truth has none of its own here: there is no truth of a person's picture. None
    for an inpainter that maps do not guide. On the image's device.
    """
    if not isinstance(inpainter, Guided):
        return None
    own = None if inpainter.guided_by_truth else inpainter.guidance(image_BCHW, known_B1HW, None)
    return moved(replace(own or Guidance(), **_maps(given)), image_BCHW.device)


def moved(guidance: Guidance, device: torch.device) -> Guidance:
    """Its maps on `device`."""
    return Guidance(**{name: map_BHW.to(device) for name, map_BHW in _maps(guidance).items()})


def _maps(guidance: Guidance) -> dict[str, Tensor]:
    """Those that are given, by name."""
    named = {field.name: getattr(guidance, field.name) for field in fields(guidance)}
    return {name: map_BHW for name, map_BHW in named.items() if map_BHW is not None}
