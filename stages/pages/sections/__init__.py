"""The report's sections: a file each, its template beside it; both are found by the section's name (section.py)."""
