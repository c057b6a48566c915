"""Access points: retractable bollards."""

from vigie.core.rooms import Room

ROOM = Room(
    name="access_points",
    floor="trade",
    kinds="vigie.access_points.kinds:KINDS",
    interlocks="vigie.access_points.interlocks:INTERLOCKS",
    needs=("control",),
    optional=True,
)
