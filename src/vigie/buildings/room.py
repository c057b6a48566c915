"""Buildings: fire, intrusion, access control, technical points, energy."""

from vigie.core.rooms import Room

ROOM = Room(
    name="buildings",
    floor="trade",
    kinds="vigie.buildings.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
