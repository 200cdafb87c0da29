"""Figures: tables of pictures, as the papers have them, from sweeps, and of the images on which a method fails."""
