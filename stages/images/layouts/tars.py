"""Tars made by others, as WebDataset has them: images of which training reads out of the tars, or which are stored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from webdataset.cache import islocal

from stages.contract import UserError
from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.shares import fill_splits
from stages.images.tars.contents import contents_of
from stages.images.tars.copies import Tar
from stages.images.tars.item import TarItem, tar_items
from stages.images.tars.streamed import GB, card_of, copies_of
from stages.images.tars.urls import urls_of


class Params(DatasetParams):
    """The keys of layout `tars`; of a split its tars: a folder, or URLs such as https://host/train-{000..099}.tar."""

    train: str = ""
    val: str = ""
    test: str = ""
    stream: bool = True  # training reads the tars; false: its images are stored and packed as any other dataset's
    group: Annotated[int, Field(ge=1)] = 8  # tars that are shuffled together: of 256 MB each, some 100,000 JPEGs
    cache_gb: Annotated[float, Field(gt=0)] = 32  # of copies of tars from elsewhere, of all datasets together
    labels: str = "labels.png"  # ending of label maps
    classes: Annotated[int, Field(ge=0, le=255)] = 0  # of these; 0: there are none


def items(params: Params) -> list[Item]:
    """Every sample of the tars; each tar is fetched once for it, and its list of members kept."""
    if params.root or params.splits:
        raise UserError(
            "dataset of layout tars: keys root and splits mean nothing there; name tars by train, val, test"
        )
    if not any(getattr(params, split) for split in SPLITS):
        raise UserError("dataset of layout tars: keys train, val and test are missing; name a folder or URLs of tars")
    found = [item for split in SPLITS for item in _of_split(params, split)]
    return fill_splits(found, params.shares, params.seed)


def card(items: list[Item], params: Params) -> dict[str, Any]:
    """The tars that training reads, for whoever opens the dataset."""
    tars = {item.tar.url: item.tar for item in items if isinstance(item, TarItem) and item.stays}
    return {"streamed": card_of(tars.values(), params)} if tars else {}


def _of_split(params: Params, split: str) -> list[Item]:
    pattern, copies = getattr(params, split), copies_of(params.cache_gb)
    labels = params.labels if params.classes else None
    tars: list[Tar] = []
    found: list[Item] = []
    for url in urls_of(pattern, split) if pattern else ():
        tar, samples = contents_of(url, copies, labels)
        tars.append(tar)
        found += tar_items(split, tar, samples, copies, params.stream)
    if split == "train" and params.stream:
        _refuse_little_room(tars, params)
    return found


def _refuse_little_room(tars: list[Tar], params: Params) -> None:
    """UserError unless the copies hold the group that is read, the next one, and a tar that comes."""
    away = [tar.size for tar in tars if not islocal(tar.url)]
    if (needed := sum(sorted(away)[-2 * params.group - 1 :])) > params.cache_gb * GB:
        raise UserError(
            f"params: cache_gb = {params.cache_gb} holds no two groups of {params.group} tars, {needed / GB:.3g} GB; "
            "raise it, or lower group"
        )
