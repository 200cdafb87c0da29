"""How many codes two encoders share: `python -m tests.methods.latent_codes.shared_codes [RELEASE]`, on trained parts.

Paper 000, Sec. 9: of one image, the restrictive encoder and the miracle, which sees the whole image, share 24.8 %. Here
the trained encoder against another's release over the same vq (a miracle's, as the sweep `encoder` trains it), or,
without one, against what the miracle learns to tell: the vq on the whole image. Test images, a mask each; a line a kind
of hole: the share of cells that are read off, and of these the share with one code (mean and deviation over images).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.contract import Batch
from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.stream import FixedBatches
from stages.methods.latent_codes import encoder, vq
from stages.project import params, paths
from stages.project.releases import read_trained

METHOD, IMAGES = "latent_codes", 400
HOLES = ("box80", "large", "small")  # paper 000's, by their names in params.yaml

Reader = Callable[[Batch], Tensor]  # codes_BHW


def readers(other: Path | None) -> tuple[encoder.TokenEncoder, Reader]:
    """(the trained encoder, what it is compared with)."""
    code = read_trained(paths.model(METHOD, "vq"))
    own = encoder.restore(read_trained(paths.model(METHOD, "encoder")), code)
    if other is None:
        whole = vq.restore(code)
        return own, lambda batch: whole.codes(batch.image_BCHW)
    second = encoder.restore(read_trained(other), code)
    return own, lambda batch: read(second, batch)


def read(model: encoder.TokenEncoder, batch: Batch) -> Tensor:
    """The likeliest codes (B, H, W)."""
    return model(batch.image_BCHW, batch.known_B1HW).argmax(1)


@torch.no_grad()
def shared(own: encoder.TokenEncoder, other: Reader, batches: Iterable[Batch]) -> dict[str, float]:
    """The figures of one kind of hole; images of which no cell is read off have no share."""
    kept, shares = [], []
    for batch in batches:
        cells_BHW = own.cells(batch.known_B1HW)[:, 0] > 0
        same_BHW = (read(own, batch) == other(batch)) & cells_BHW
        kept.append(cells_BHW.float().mean((1, 2)))
        shares.append(same_BHW.sum((1, 2)) / cells_BHW.sum((1, 2)))
    share_N = torch.cat(shares)
    share_N = share_N[share_N.isfinite()]
    told = {"n": len(share_N), "kept": torch.cat(kept).mean(), "shared": share_N.mean(), "std": share_N.std()}
    return {name: round(float(value), 4) for name, value in told.items()}


def main(release: str = "") -> None:
    """Read, compare, print."""
    values: Mapping[str, Any] = params.read()
    own, other = readers(Path(release) if release else None)
    test = Dataset.open(paths.shards(values["data"]["dataset"]), "test")
    for name in (name for name in HOLES if name in values["masks"]):
        generator = masks.generator_of(values["masks"][name])
        print(json.dumps({"holes": name, **shared(own, other, FixedBatches(test, generator, 50, IMAGES, 0))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
