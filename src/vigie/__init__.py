"""Vigie: the control centre of a connected city."""

__version__ = "0.1.0"
