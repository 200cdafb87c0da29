"""The papers' figures: a file a paper, found by its name; it defines PAPER, its number, and FIGURES."""
