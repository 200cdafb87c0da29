"""Protocols (how a test set is scored) and their cards: what every number carries, and what may stand in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from stages.contract import Params, UserError
from stages.project.hashing import of_values
from stages.project.params import dig, validate

Selection = Literal["all", "first", "best_of_k"]
METHOD_FIELDS = (
    "trained_on",
    "loss_networks",
    "out_of_domain",
    "signature",
    "latents",
    "lossy",
    "raw",
)  # of the method, not of the measurement


class Protocol(Params):
    """A block of `protocols` in params.yaml. A metric's name says its network, window and estimator."""

    testset: str
    composite: bool  # known pixels put back before scoring; false: the raw output
    selection: Selection  # all: mean over an image's samples; first; best_of_k: the one of highest PSNR (as PIC)
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """Every axis of a measurement; `hole` is the range of hole ratios, `weights` a digest by network.

    `loss_networks` are the pretrained networks that the method's losses read, by their names in `weights`.
    `latents` are digests of what the method drew before pixels, by name: entries of one digest complete the same.
    `lossy`: results that came as JPEG. `raw`: what is judged as raw output where known pixels are part of it by design.
    """

    dataset: str
    split: str
    split_hash: str
    masks: str
    mask_hash: str
    hole: str
    images: int
    samples: int
    selection: Selection
    composite: bool
    size: int
    seed: int
    metrics: tuple[str, ...]
    weights: Mapping[str, str]
    trained_on: tuple[str, ...]
    loss_networks: tuple[str, ...] = ()
    latents: Mapping[str, str] = field(default_factory=dict)
    lossy: bool = False
    raw: str = ""

    @property
    def out_of_domain(self) -> bool:
        """Whether the method was trained, and on nothing of this dataset."""
        return bool(self.trained_on) and self.dataset not in self.trained_on

    def signature(self) -> str:
        """A line that fits a table's foot; its last part covers all fields but the method's own."""
        judged = "composited" if self.composite else "raw"
        data = f"{self.dataset}/{self.split}:{self.split_hash[:6]} {self.masks}:{self.mask_hash[:6]}"
        digest = of_values({key: value for key, value in asdict(self).items() if key not in METHOD_FIELDS})
        return f"{data} n{self.images} k{self.samples} {self.selection} {judged} {self.size}px #{digest[:8]}"

    def told(self) -> dict[str, Any]:
        """The card as plain values; `loss_networks` and those behind it where there is something to tell."""
        empty = {name for name in ("loss_networks", "latents", "lossy", "raw") if not getattr(self, name)}
        own = {name: value for name, value in asdict(self).items() if name not in empty}
        return {"signature": self.signature(), **own, "out_of_domain": self.out_of_domain}


def signed(signature: str) -> dict[str, str]:
    """What `Card.signature` tells, by field; `digest` covers the fields that have no word of their own."""
    *data, masks, images, samples, selection, judged, size, digest = signature.split()
    fields = {"masks": masks, "images": images[1:], "samples": samples[1:], "selection": selection}
    return {"dataset": " ".join(data), **fields, "composite": judged, "size": size.removesuffix("px"), "digest": digest}


def read(values: Mapping[str, Any]) -> dict[str, Protocol]:
    """All protocols by name, validated."""
    protocols = dig(values, "protocols")
    read_in = {name: validate(Protocol, block, f"protocols.{name}") for name, block in protocols.items()}
    for name, protocol in read_in.items():
        if protocol.selection == "best_of_k" and "psnr" not in protocol.metrics:
            raise UserError(f"params: protocols.{name}: best_of_k selects by psnr; put psnr among its metrics")
    return read_in


def refuse_unlike(cards: Mapping[str, Mapping[str, Any]]) -> None:
    """UserError naming the first field in which the cards of one table's entries differ (`Card.told`, by entry)."""
    told = list(cards.items())
    for entry, card in told[1:]:
        first_entry, first = told[0]
        for name in first:
            if name not in METHOD_FIELDS and card.get(name) != first[name]:
                raise UserError(
                    f"scores of {first_entry} and {entry} cannot stand in one table: {name} is {first[name]!r} for one "
                    f"and {card.get(name)!r} for the other; sample and benchmark both again"
                )
