"""The base map and the territory, for anyone logged in."""

from typing import Any

from litestar import Request, Response

from vigie.core.database import Unit
from vigie.core.web import ANY_LOGIN, get
from vigie.places import service
from vigie.places.addresses.api import ROUTES as ADDRESSES
from vigie.places.model import Territory
from vigie.places.roads.api import ROUTES as ROADS
from vigie.places.service import Blob


@get("/territory", permission=ANY_LOGIN)
async def read_territory(unit: Unit) -> Territory:
    """The installed territory: its municipalities, languages, time zone and where it lies."""
    return await service.read_territory(unit)


@get("/territory/municipalities.geojson", permission=ANY_LOGIN, media_type="application/geo+json")
async def read_municipalities(unit: Unit, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Contours of the municipalities, as far as they are known."""
    return _send(request, await service.municipalities_geojson(unit))


@get("/territory/streets.geojson", permission=ANY_LOGIN, media_type="application/geo+json")
async def read_streets(unit: Unit, request: Request[Any, Any, Any]) -> Response[bytes]:
    """The streets: the base map."""
    return _send(request, await service.streets_geojson(unit))


def _send(request: Request[Any, Any, Any], blob: Blob) -> Response[bytes]:
    etag = f'"{blob.etag}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    asked = request.headers.get("if-none-match", "")
    if etag in {tag.strip().removeprefix("W/") for tag in asked.split(",")}:
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(blob.packed, media_type="application/geo+json", headers=headers)
    return Response(blob.plain, media_type="application/geo+json", headers=headers)


ROUTES = [read_territory, read_municipalities, read_streets, *ADDRESSES, *ROADS]
