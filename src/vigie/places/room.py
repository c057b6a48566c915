"""Where things are, and how one gets there."""

from vigie.core.rooms import Personal, Room
from vigie.places.permissions import PERMISSIONS

ROOM = Room(
    name="places",
    floor="base",
    schemas=("places",),
    permissions=PERMISSIONS,
    routes="vigie.places.api:ROUTES",
    public="vigie.places.public:ROUTES",
    public_tables={"places.meta": "select", "places.municipality": "select"},
    search="vigie.places.finding:SOURCES",
    topics="vigie.places.declared:TOPICS",
    verbs="vigie.places.declared:VERBS",
    objects="vigie.places.declared:OBJECTS",
    jobs="vigie.places.declared:JOBS",
    reactions="vigie.places.declared:REACTIONS",
    personal=(
        Personal(
            what="Who closed a road and who opened it again, and why.",
            purpose="To know whom to ask about a closure, and to account for it.",
            basis="Public task.",
            retention="With the closure, which is a record of the city's acts.",
            recipients="Who sees closures, within municipality and trade.",
        ),
    ),
)
