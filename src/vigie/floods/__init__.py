"""Floods: rivers and rain."""
