"""The doors: where something enters that others wrote. Each says what a wrong acceptance is, and how it is told."""
