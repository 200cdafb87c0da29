"""Holes: seeded generators, files that give them, frozen sets that pair them with images by name."""

from stages.images.masks.doubt import doubt
from stages.images.masks.frozen import MaskSet, freeze
from stages.images.masks.generator import MaskGenerator, generator_of, renamed
from stages.images.masks.source import Source

__all__ = ["MaskGenerator", "MaskSet", "Source", "doubt", "freeze", "generator_of", "renamed"]
