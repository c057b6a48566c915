"""Closures and travel times over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import Parameter

from vigie.core.database import Unit
from vigie.core.errors import Fault, wrong_fields
from vigie.core.filters import Choice, Fields, Number, Text, Time, contains
from vigie.core.lists import Column, Listing
from vigie.core.states import version
from vigie.core.web import IfMatch, Tagged, get, post
from vigie.places.model import Point
from vigie.places.roads import rules, service, travel
from vigie.places.roads.model import (
    CLOSURE,
    CloseRoad,
    NearestRoads,
    OpenRoad,
    RoadClosure,
    RoadNetwork,
    RoadRoute,
)
from vigie.places.roads.rules import Profile

READ, CLOSE = "places.roads_read", "places.roads_close"
MOST_IN_ADDRESS = 100
_GEOJSON = "application/geo+json"

_LONLAT = "lon,lat in WGS 84: 5.04,47.32"
Place = Annotated[str, Parameter(max_length=64, description=_LONLAT)]
From = Annotated[str, Parameter(query="from", max_length=64, description=_LONLAT)]
At = Annotated[
    datetime | None, Parameter(description="When one sets off; what is closed then. Default: now.")
]

CLOSURES = Listing(
    "places.closures",
    CLOSURE,
    row=RoadClosure,
    compose=service.composed,
    fields=Fields(
        Choice("state", None, ("planned", "active", "over"), pick=service.in_state),
        Choice("direction", CLOSURE.c.direction, ("both", "forward", "backward")),
        Choice("closed_to", None, rules.PROFILES, pick=lambda p: CLOSURE.c.closed_to.any(p)),
        Text("municipality", CLOSURE.c.municipality),
        Text("trade", CLOSURE.c.trade),
        Text("who", CLOSURE.c.created_by),
        Number("metres", CLOSURE.c.metres),
        Time("starts", CLOSURE.c.starts),
        Time("ends", CLOSURE.c.ends),
        words=lambda word: CLOSURE.c.folded.like(contains(word)),
    ),
    sorts={"starts": CLOSURE.c.starts, "metres": CLOSURE.c.metres, "created": CLOSURE.c.created},
    default="-starts",
    key=CLOSURE.c.id,
    export=(
        Column("id"),
        Column("streets", lambda c: ", ".join(c.streets), en="Streets", fr="Rues"),
        Column("state", en="State", fr="État"),
        Column("reason", en="Reason", fr="Motif"),
        Column("direction", en="Direction", fr="Sens"),
        Column("closed_to", lambda c: ", ".join(c.closed_to), en="Closed to", fr="Fermée à"),
        Column("starts", en="From", fr="Début"),
        Column("ends", en="Until", fr="Fin"),
        Column("metres", lambda c: round(c.metres), en="Length (m)", fr="Longueur (m)"),
        Column("municipality", en="Municipality", fr="Commune"),
        Column("created_by", en="By", fr="Par"),
        Column("ended", en="Ended", fr="Levée"),
        Column("ended_by", en="Ended by", fr="Levée par"),
    ),
)


@post("/roads/closures", permission=CLOSE, status=201)
async def close_road(unit: Unit, data: CloseRoad) -> RoadClosure:
    """Close streets: by their number, by a line drawn along them, or by an area."""
    return await service.close_road(unit, data)


@get("/roads/closures/{closure_id:uuid}", permission=READ)
async def read_closure(unit: Unit, closure_id: UUID) -> Tagged[RoadClosure]:
    """One closure."""
    closure = await service.read_closure(unit, closure_id)
    return Tagged(closure, str(closure.version), live=True)


@post("/roads/closures/{closure_id:uuid}/end", permission=CLOSE)
async def open_road(unit: Unit, closure_id: UUID, if_match: IfMatch = None) -> RoadClosure:
    """End a closure now; a planned one is taken back."""
    ended = OpenRoad(closure=closure_id, version=version(if_match))
    return await service.open_road(unit, ended)


@get("/roads/route", permission=READ)
async def find_route(
    unit: Unit, from_: From, to: Place, at: At = None, profile: Profile = "car"
) -> RoadRoute:
    """The fastest way between two places, the streets it takes, and why: what it avoids, or why
    there is none."""
    return await travel.route(unit, _point("from", from_), _point("to", to), profile, at)


@get("/roads/nearest", permission=READ)
async def find_nearest(
    unit: Unit,
    point: Place,
    candidates: Annotated[
        str, Parameter(max_length=8000, description="Places parted by semicolons, at most 100.")
    ],
    at: At = None,
    profile: Profile = "emergency",
    away: Annotated[
        bool, Parameter(description="From the point to the candidates, not the other way.")
    ] = False,
    count: Annotated[int, Parameter(ge=1, le=MOST_IN_ADDRESS)] = 10,
) -> NearestRoads:
    """Those of some places from which one is at a point first."""
    given = [c for c in candidates.split(";") if c.strip()]
    if not 1 <= len(given) <= MOST_IN_ADDRESS:
        message = f"one to {MOST_IN_ADDRESS} places, parted by semicolons"
        raise wrong_fields(Fault("candidates", "out_of_range", message))
    places = [_point("candidates", c) for c in given]
    return await travel.nearest(
        unit, _point("point", point), places, profile, at, away=away, count=count
    )


@get("/roads/reachable", permission=READ, media_type=_GEOJSON)
async def find_reachable(
    unit: Unit,
    point: Place,
    minutes: Annotated[
        str, Parameter(max_length=60, description="Up to four, parted by commas: 5,10,15")
    ],
    at: At = None,
    profile: Profile = "car",
    towards: Annotated[bool, Parameter(description="From where one comes to the point.")] = False,
) -> Response[dict[str, Any]]:
    """Where one comes in some minutes: an area each, the largest first."""
    try:
        wanted = [float(m) for m in minutes.split(",")]
    except ValueError as error:
        raise wrong_fields(
            Fault("minutes", "not_a_number", "numbers of minutes parted by commas")
        ) from error
    found = await travel.reachable(
        unit, _point("point", point), wanted, profile, at, towards=towards
    )
    return Response(found, media_type=_GEOJSON)


@get("/roads/network", permission=READ)
async def read_network(unit: Unit) -> RoadNetwork:
    """How large the road graph is, and how much of it hangs together."""
    return await travel.network(unit)


def _point(field: str, text: str) -> Point:
    """lon,lat. Raises Invalid, which names the field."""
    cells = text.split(",")
    try:
        lon, lat = (float(cell) for cell in cells)
    except ValueError:
        lon = lat = float("nan")
    if not (-180 <= lon <= 180 and -85 <= lat <= 85):
        raise wrong_fields(
            Fault(field, "not_a_position", "a position as lon,lat in degrees: 5.04,47.32")
        )
    return lon, lat


ROUTES = [
    *CLOSURES.routes("/roads/closures", permission=READ),
    close_road,
    read_closure,
    open_road,
    find_route,
    find_nearest,
    find_reachable,
    read_network,
]
