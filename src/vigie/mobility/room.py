"""Mobility: buses and parking."""

from vigie.core.rooms import Room

ROOM = Room(
    name="mobility",
    floor="trade",
    kinds="vigie.mobility.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
