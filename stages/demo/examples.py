"""Pictures to begin with: the first test images of the project's dataset, each photograph's first before its second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.contract import UserError
from stages.images.dataset import Dataset
from stages.images.files import encode_png
from stages.project import paths
from stages.project.params import dig
from stages.sampling.testsets import by_turns

SHOWN = 12


@dataclass(frozen=True)
class Examples:
    """PNGs by their images' keys; `missing` says why there are none."""

    pictures: Mapping[str, bytes]
    missing: str | None = None

    @classmethod
    def open(cls, values: Mapping[str, Any]) -> Examples:
        """The first so many of the dataset's test split; none where it is not sharded yet."""
        try:
            dataset = Dataset.open(paths.shards(dig(values, "data.dataset")), "test")
        except UserError as error:
            return cls({}, str(error))
        chosen = by_turns(dataset.keys, dataset.sources)[:SHOWN]
        return cls({key: encode_png(dataset.image(dataset.keys.index(key))) for key in chosen})
