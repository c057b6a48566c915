"""Where things are."""

from vigie.core.rooms import Room

ROOM = Room(
    name="places",
    floor="base",
    schemas=("places",),
    routes="vigie.places.api:ROUTES",
    search="vigie.places.finding:SOURCES",
)
