"""Tables of scores: what is read, compared and printed of them, on the page, in markdown and in LaTeX."""
