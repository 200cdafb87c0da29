"""The report's rooms: each reads finished files and returns plain values; the templates alone know HTML."""
