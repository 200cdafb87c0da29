"""Draws (what is sampled), the resumable store of completions, and the sampling that fills it."""
