"""Planned rounds: what they empty, sweep and cut."""
