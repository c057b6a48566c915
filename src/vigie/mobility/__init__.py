"""Mobility: buses and parking."""
