"""Weather: stations and the road's surface."""

from vigie.core.rooms import Room

ROOM = Room(
    name="weather",
    floor="trade",
    kinds="vigie.weather.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
