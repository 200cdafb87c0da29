"""Holes: seeded laws that draw them, files that give them, frozen sets that pair them with test images by name."""

from stages.images.masks.doubt import doubt
from stages.images.masks.frozen import MaskSet, freeze
from stages.images.masks.laws import MaskLaw, law

__all__ = ["MaskLaw", "MaskSet", "doubt", "freeze", "law"]
