"""Street lighting: lights and their cabinets."""

from vigie.core.rooms import Room

ROOM = Room(
    name="lighting",
    floor="trade",
    kinds="vigie.lighting.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
