"""The rooms of Vigie, one a line: a new room is one line here.

Git keeps the lines of both sides when two branches add one (.gitattributes): nothing but such
lines belongs in this list.
"""

# From the ground up, as docs/rooms.md draws them: a room sees those before it.
ROOMS = (
    "vigie.core",
    "vigie.core.access",
    "vigie.core.journal",
    "vigie.core.live",
    "vigie.places",
    "vigie.notify",
    "vigie.files",
    "vigie.duty",
    "vigie.twin",
    "vigie.gateways.clients",
    "vigie.gateways.ingest",
    "vigie.gateways.mqtt",
    "vigie.gateways.positions",
    "vigie.control",
    "vigie.logbook",
    "vigie.operations",
    "vigie.tours",
    "vigie.lighting",
    "vigie.traffic",
    "vigie.mobility",
    "vigie.buildings",
    "vigie.access_points",
    "vigie.video",
    "vigie.weather",
    "vigie.floods",
    "vigie.network",
)
