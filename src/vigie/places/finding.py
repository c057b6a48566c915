"""Places in the search box."""

from vigie.core.access import ANY_LOGIN
from vigie.core.database import Unit
from vigie.core.search import Hit, Source
from vigie.places.service import search


async def _find(unit: Unit, query: str, limit: int) -> list[Hit]:
    return [
        Hit(place.type, place.id, place.label, place.detail, place.point, place.bbox)
        for place in await search(unit, query, limit)
    ]


SOURCES = (Source("places.place", ANY_LOGIN, _find),)
