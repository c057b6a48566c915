"""Floods: rivers and rain."""

from vigie.core.rooms import Room

ROOM = Room(
    name="floods",
    floor="trade",
    kinds="vigie.floods.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
