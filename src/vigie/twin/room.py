"""The city's equipment: registry, state, history, and the live picture of it."""

from vigie.core.rooms import Personal, Room
from vigie.twin.permissions import PERMISSIONS

ROOM = Room(
    name="twin",
    floor="twin",
    schemas=("twin",),
    permissions=PERMISSIONS,
    routes="vigie.twin.routes:ROUTES",
    reactions="vigie.twin.reactions:REACTIONS",
    objects="vigie.twin.objects:OBJECTS",
    topics="vigie.twin.topics:TOPICS",
    search="vigie.twin.search:SOURCES",
    services={"watch": "vigie.twin.watch:services", "api": "vigie.twin.live:services"},
    personal=(
        Personal(
            what="Where vehicles and radios were, hence who uses them.",
            purpose="To help crews, and to account for what they did.",
            basis="Public task.",
            retention="60 days, unless the setting track_days says otherwise.",
            recipients="Who may read tracks, with a reason that is written down.",
        ),
        Personal(
            what="What events of equipment say of people: badges read, drivers, radio texts.",
            purpose="To know who opened, drove or called.",
            basis="Public task.",
            retention="As the kind of equipment declares for each event, 365 days at most.",
            recipients="Who may read them, with a reason that is written down.",
        ),
    ),
    needs=("places",),
)
