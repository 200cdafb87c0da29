"""Paper 001: its figures are waited for."""

from stages.pages.figures.figure import PaperFigure

PAPER = "001"
NEEDS = "a finished run of the method of paper 001"

FIGURES = (
    PaperFigure("001 F1", "structures over their completions", NEEDS),
    PaperFigure("001 F5, F6", "without attention, without each loss", NEEDS),
)
