"""Protocols and their cards, the pass over the images, statistics, and the tables of scores."""
