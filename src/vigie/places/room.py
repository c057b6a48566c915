"""Where things are."""

from vigie.core.rooms import Room

ROOM = Room(
    name="places",
    floor="base",
    schemas=("places",),
    routes="vigie.places.api:ROUTES",
    public="vigie.places.public:ROUTES",
    public_tables={"places.meta": "select", "places.municipality": "select"},
    search="vigie.places.finding:SOURCES",
)
