"""Drawings of numbers: their geometry is computed here, the page's templates draw it."""
