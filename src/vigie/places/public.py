"""What everyone may know of the territory."""

import msgspec

from vigie.core.database import Unit
from vigie.core.web import PUBLIC, Budget, Tagged, get
from vigie.places import service
from vigie.places.model import Point


class PublicMunicipality(msgspec.Struct, frozen=True):
    """A municipality: its INSEE code, name and centre as [lon, lat], WGS 84."""

    insee: str
    name: str
    centroid: Point


class PublicTerritory(msgspec.Struct, frozen=True):
    """The territory this centre serves. `synthetic` says that its equipment is made up."""

    name: str
    languages: list[str]
    time_zone: str
    synthetic: bool
    attribution: str
    municipalities: list[PublicMunicipality]


@get("/territory", permission=PUBLIC, budget=Budget(per_minute=60, burst=20, keep_s=300))
async def read_public_territory(unit: Unit) -> Tagged[PublicTerritory]:
    """The territory: its name, languages and municipalities."""
    found = await service.read_territory(unit)
    return Tagged(
        PublicTerritory(
            name=found.name,
            languages=found.languages,
            time_zone=found.time_zone,
            synthetic=found.synthetic,
            attribution=found.attribution,
            municipalities=[
                PublicMunicipality(m.insee, m.name, m.centroid) for m in found.municipalities
            ],
        ),
        etag=f"{found.revision}",
    )


ROUTES = [read_public_territory]
