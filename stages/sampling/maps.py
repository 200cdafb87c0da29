"""A person's maps beside a picture: edges and labels that guide its completion, read and held against it."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stages.contract import NO_CLASS, UserError
from stages.images import files
from stages.images.edge_levels import EdgeMap
from stages.images.pixels import Bool, Uint8
from stages.images.sources.label_maps import read_map
from stages.sampling.pairs import Pair


@dataclass(frozen=True)
class Maps:
    """edges_HW is True on an edge; labels_HW are classes, NO_CLASS where unknown; None: not given.

    `read` tells by each map's name how it was read, `remarks` what the person should know.
    """

    edges_HW: Bool | None = None
    labels_HW: Uint8 | None = None
    read: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


NONE = Maps()


def opened(one: Pair, image_HWC: Uint8, edge_colour: str | None, classes: int) -> Maps:
    """A pair's maps for an inpainter that so many classes guide; UserError where one does not fit its image."""
    edges, labels_HW = _edges(one, image_HWC, edge_colour), _labels(one, image_HWC, classes)
    read: dict[str, Mapping[str, Any]] = {} if labels_HW is None else {"labels": {"classes": classes}}
    if edges is None:
        return Maps(labels_HW=labels_HW, read=read)
    remarks = (f"{one.edges}: {edges.remark}",) if edges.remark else ()
    return Maps(edges.edges_HW, labels_HW, {"edges": {"colour": edges.colour}, **read}, remarks)


def _edges(one: Pair, image_HWC: Uint8, colour: str | None) -> EdgeMap | None:
    if one.edges is None:
        return None
    if filecmp.cmp(one.image, one.edges, shallow=False):
        raise UserError(
            f"{one.edges}: the edge map is the image itself; name a map of lines, black on white or inverse"
        )
    edges = files.read_edges(one.edges, colour)
    _refuse_other_size(edges.edges_HW, one.edges, one, image_HWC)
    return edges


def _labels(one: Pair, image_HWC: Uint8, classes: int) -> Uint8 | None:
    if one.labels is None:
        return None
    try:
        labels_HW = read_map(one.labels)
    except ValueError as error:
        raise UserError(f"--labels: {error}; give a grey or palette PNG whose values are classes") from error
    _refuse_other_size(labels_HW, one.labels, one, image_HWC)
    wrong = labels_HW[(labels_HW >= classes) & (labels_HW != NO_CLASS)]
    if wrong.size:
        there = f"class {wrong.min()} in it, but the method knows {classes}"
        raise UserError(f"{one.labels}: {there}; give values from 0 to {classes - 1}, or {NO_CLASS} where unknown")
    return labels_HW


def _refuse_other_size(map_HW: np.ndarray, path: Path, one: Pair, image_HWC: Uint8) -> None:
    if map_HW.shape != image_HWC.shape[:2]:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (map_HW.shape, image_HWC.shape)]
        raise UserError(f"{path}: {sizes[0]} pixels, but {one.image} has {sizes[1]}; give a map of the same size")
