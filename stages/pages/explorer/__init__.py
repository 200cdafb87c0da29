"""The image explorer: one page, pictures and scores beside it that are loaded when they are asked for."""
