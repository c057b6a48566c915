"""The log's declaration."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Personal, Room

ROOM = Room(
    name="logbook",
    floor="operations",
    schemas=("logbook",),
    migrations=True,
    append_only=("logbook.entry",),
    permissions=(
        Permission(
            "logbook.read",
            "Read the log of one's municipalities and trades.",
            ("administrator", "operator", "auditor"),
        ),
        Permission("logbook.write", "Add entries to the log.", ("administrator", "operator")),
        Permission(
            "logbook.hand_over", "Hand a shift over, and take one.", ("administrator", "operator")
        ),
    ),
    routes="vigie.logbook.api:ROUTES",
    reactions="vigie.logbook.reactions:REACTIONS",
    topics="vigie.logbook.declared:TOPICS",
    verbs="vigie.logbook.declared:VERBS",
    objects="vigie.logbook.declared:OBJECTS",
    personal=(
        Personal(
            what="What people wrote of an event, which may name others; who wrote it.",
            purpose="To pass on what happened from one shift to the next, and to account for it.",
            basis="Public task.",
            retention="Five years with the log, which is a record of the city's acts.",
            recipients="Who works in the room, within municipality, trade and compartment.",
        ),
    ),
    optional=True,
)
