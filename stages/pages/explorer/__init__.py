"""The image explorer: one page, pictures and figures beside it that are loaded when they are asked for."""
