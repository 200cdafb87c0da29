"""A draw: which images of which dataset are completed under which frozen masks, how often, and with which seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import PositiveInt

from stages import places
from stages.contract import Params, Spec, UserError
from stages.engine.params import dig, nearest, validate
from stages.engine.seed import derive
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.images.pixels import Bool, Uint8


class Draw(Params):
    """A block of `draws` in params.yaml."""

    dataset: str | None = None  # null: the global one, data.dataset
    split: str = "test"
    masks: str
    images: PositiveInt | None = None  # null: all of the split; else so many, evenly spaced over it
    samples: PositiveInt
    seed: int = 0


class Images(Protocol):
    """Images by position, as a dataset has them."""

    @property
    def name(self) -> str: ...

    @property
    def hash(self) -> str: ...

    @property
    def spec(self) -> Spec: ...

    @property
    def keys(self) -> list[str]: ...

    @property
    def sources(self) -> list[str]: ...

    def image(self, index: int) -> Uint8: ...


class Holes(Protocol):
    """Holes by key, as a frozen mask set has them."""

    @property
    def hash(self) -> str: ...

    def hole(self, key: str) -> Bool: ...


@dataclass(frozen=True)
class Opened:
    """A draw with its data: `chosen` indexes the dataset."""

    name: str
    draw: Draw
    dataset: Images
    masks: Holes
    chosen: tuple[int, ...]

    @property
    def keys(self) -> list[str]:
        """The chosen images' keys, in order."""
        return [self.dataset.keys[i] for i in self.chosen]

    def identity(self) -> dict[str, Any]:
        """Everything about the data that a sample or a score depends on."""
        return {
            "draw": self.name,
            "dataset": self.dataset.name,
            "split": self.draw.split,
            "dataset_hash": self.dataset.hash,
            "masks": self.draw.masks,
            "mask_hash": self.masks.hash,
            "size": self.dataset.spec.size,
            "images": len(self.chosen),
            "samples": self.draw.samples,
            "seed": self.draw.seed,
        }


def read(values: Mapping[str, Any], name: str) -> Draw:
    """The draw of that name, validated, its dataset filled in."""
    draws = dig(values, "draws")
    if name not in draws:
        raise UserError(f"params: draws has no {name}{nearest(name, list(draws))}")
    draw = validate(Draw, draws[name], f"draws.{name}")
    return draw if draw.dataset else draw.model_copy(update={"dataset": dig(values, "data.dataset")})


def open_draw(name: str, draw: Draw, limit: int | None = None) -> Opened:
    """The draw's dataset and masks; at most `limit` of its images."""
    dataset = Dataset.open(places.shards(str(draw.dataset)), draw.split)
    masks = MaskSet.open(places.masks(str(draw.dataset)), draw.masks)
    if draw.images and draw.images > len(dataset):
        raise UserError(
            f"params: draws.{name}.images = {draw.images}, but {dataset.name} {draw.split} has {len(dataset)}"
        )
    return Opened(name, draw, dataset, masks, spaced(len(dataset), draw.images)[:limit])


def spaced(total: int, count: int | None) -> tuple[int, ...]:
    """`count` of `range(total)`, evenly spaced: neighbours often come from one source."""
    return tuple(i * total // count for i in range(count)) if count else tuple(range(total))


def by_turns(keys: Sequence[str], sources: Sequence[str]) -> list[str]:
    """The keys, each photograph's first image before any photograph's second."""
    turn: dict[str, int] = {}
    ranked = list[tuple[int, int, str]]()
    for key, source in zip(keys, sources, strict=True):
        turn[source] = turn.get(source, -1) + 1
        ranked.append((turn[source], len(ranked), key))
    return [key for *_, key in sorted(ranked)]


def sample_seed(seed: int, key: str, k: int) -> int:
    """The seed of completion k of an image: a function of these three alone."""
    return derive(seed, key, k)
