"""Places in the search box."""

from vigie.core.access import ANY_LOGIN
from vigie.core.database import Unit
from vigie.core.search import Hit, Source
from vigie.places.addresses.service import geocode
from vigie.places.service import search


async def _find(unit: Unit, query: str, limit: int) -> list[Hit]:
    return [
        Hit(place.type, place.id, place.label, place.detail, place.point, place.bbox)
        for place in await search(unit, query, limit)
    ]


async def _houses(unit: Unit, query: str, limit: int) -> list[Hit]:
    """Houses by number and street; streets are found as places."""
    if not any(character.isdigit() for character in query):
        return []
    return [
        Hit("address", place.address, place.label, place.municipality_name, place.point)
        for place in await geocode(unit, query, limit)
        if place.address is not None
    ]


SOURCES = (
    Source("places.place", ANY_LOGIN, _find),
    Source("places.address", ANY_LOGIN, _houses),
)
