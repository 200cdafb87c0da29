"""Sweeps that ran: their finished points, and what these say beside one another."""
