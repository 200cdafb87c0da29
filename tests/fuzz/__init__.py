"""Hostile inputs at every door: `make fuzz`, and a sample of it among the tests. A door is a file in doors/."""
