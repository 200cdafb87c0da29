"""Paper 002: its figures are waited for."""

from stages.pages.figures.figure import PaperFigure

PAPER = "002"
NEEDS = "a finished run of the method of paper 002"

FIGURES = (
    PaperFigure("002 F8", "the gap between image and latent", NEEDS),
    PaperFigure("002 F10", "guided by edges and by labels", NEEDS),
    PaperFigure("002 F11, F12", "the soft mean latent", NEEDS),
)
