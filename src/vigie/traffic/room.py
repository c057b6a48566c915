"""Traffic: signals and what counts at them; bus priority is an engine today, its room grows around
it."""

from vigie.core.rooms import Room

ROOM = Room(
    name="traffic",
    floor="trade",
    kinds="vigie.traffic.kinds:KINDS",
    interlocks="vigie.traffic.interlocks:INTERLOCKS",
    needs=("control",),
    optional=True,
)
