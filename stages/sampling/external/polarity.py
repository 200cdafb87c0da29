"""Which of two colours is the hole in masks that come with results: told apart where nobody declares it."""

from __future__ import annotations

from collections.abc import Sequence

from stages.contract import UserError
from stages.images.files import read_hole, read_rgb
from stages.images.levels import Level
from stages.sampling.external import result_file
from stages.sampling.external.folder import Case


def other_colour(hole: str) -> str:
    """The other declaration of a mask's hole."""
    return "black" if hole == "white" else "white"


def told_apart(cases: Sequence[Case]) -> str:
    """The colour outside of which completions are their image's very pixels; UserError where both may be it, or none.

    The first image decides whose completions differ from it: the survey of all of them comes after.
    """
    for case in cases:
        possible = _possible(case)
        if len(possible) == 1:
            return str(possible[0])
        if not possible:
            break
    line = "results do not tell the hole's colour, since they differ from their images on both sides of the masks"
    raise UserError(f"--hole (not given): {case.completions[0].parent}: {line}; say white or black")


def _possible(case: Case) -> list[Level]:
    """The colours of a hole outside of which nothing differs; masks and results of another size rule none out."""
    image_HWC, completions_KHWC = read_rgb(case.image), result_file.read(case.completions)
    if completions_KHWC.shape[1:] != image_HWC.shape:
        return list(Level)
    changed_HW = (completions_KHWC != image_HWC).any(axis=(0, -1))
    holes = {colour: read_hole(case.mask, colour) for colour in Level}
    fit = {colour: hole_HW for colour, hole_HW in holes.items() if hole_HW.shape == changed_HW.shape}
    return [colour for colour in Level if colour not in fit or not changed_HW[~fit[colour]].any()]
