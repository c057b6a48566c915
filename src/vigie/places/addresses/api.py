"""Addresses over HTTP: what anyone logged in may look up."""

from typing import Annotated

from litestar.params import Parameter

from vigie.core.access import ANY_LOGIN
from vigie.core.database import Unit
from vigie.core.states import version
from vigie.core.web import IfMatch, Tagged, get, patch
from vigie.places.addresses import service
from vigie.places.addresses.model import Address, AddressChange, GeocodedPlaces, PlaceAt

Lon = Annotated[float, Parameter(ge=-180, le=180)]
Lat = Annotated[float, Parameter(ge=-85, le=85)]


@get("/places/geocode", permission=ANY_LOGIN)
async def geocode(
    unit: Unit,
    q: Annotated[
        str, Parameter(min_length=1, max_length=200, description="12 bis rue de la Liberté, Dijon")
    ],
    limit: Annotated[int, Parameter(ge=1, le=service.MOST)] = 10,
) -> GeocodedPlaces:
    """Houses, streets and municipalities that a text may mean, the likeliest first."""
    return GeocodedPlaces(await service.geocode(unit, q, limit))


@get("/places/reverse", permission=ANY_LOGIN)
async def reverse(
    unit: Unit,
    lon: Lon,
    lat: Lat,
    reach_m: Annotated[
        float, Parameter(ge=0, le=2000, description="How far an address may be, in metres.")
    ] = service.REACH_M,
) -> PlaceAt:
    """Where a point is: the nearest address, the street, the municipality."""
    return await service.reverse(unit, (lon, lat), reach_m)


@get("/places/addresses/{address_id:int}", permission=ANY_LOGIN)
async def read_address(unit: Unit, address_id: int) -> Tagged[Address]:
    """One address."""
    address = await service.read_address(unit, address_id)
    return Tagged(address, str(address.version))


@patch("/places/addresses/{address_id:int}", permission="places.addresses_correct")
async def correct_address(
    unit: Unit, address_id: int, data: AddressChange, if_match: IfMatch = None
) -> Tagged[Address]:
    """Correct an address: no import changes it back."""
    address = await service.correct_address(unit, address_id, data, version(if_match))
    return Tagged(address, str(address.version))


ROUTES = [geocode, reverse, read_address, correct_address]
