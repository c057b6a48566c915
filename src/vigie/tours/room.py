"""Planned rounds: what they empty, sweep and cut."""

from vigie.core.rooms import Room

ROOM = Room(
    name="tours",
    floor="operations",
    kinds="vigie.tours.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
