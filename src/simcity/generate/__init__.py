"""Draws a synthetic city on a real territory: streets, cabinets and lights.

The steps, each a file: territory (what is given) → layout (the net of street edges) →
streets (edges joined into named streets) → lights (lamps and cabinets) → write (files).
"""
