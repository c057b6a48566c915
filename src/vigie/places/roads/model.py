"""Closures and ways: tables and structs. Positions are [lon, lat], WGS 84."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import Boolean, Column, DateTime, Double, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from vigie.places.model import Point
from vigie.places.roads.rules import PROFILES, Direction, Profile

MOST_STREETS = 200
MOST_VERTICES = 1_000

CLOSURE = Table(
    "closure",
    MetaData(schema="places"),
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("streets", ARRAY(Text)),
    Column("reason", Text),
    Column("folded", Text),
    Column("direction", Text),
    Column("closed_to", ARRAY(Text)),
    Column("parts", JSONB),
    Column("drawn", JSONB),
    Column("lon", Double),
    Column("lat", Double),
    Column("metres", Double),
    Column("starts", DateTime(timezone=True)),
    Column("ends", DateTime(timezone=True)),
    Column("created", DateTime(timezone=True)),
    Column("created_by", Text),
    Column("ended", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("lost", Boolean),
    Column("municipality", Text),
    Column("municipalities", ARRAY(Text)),
    Column("trade", Text),
    Column("scopes", ARRAY(Text)),
)

Lon = Annotated[float, Meta(ge=-180, le=180)]
Lat = Annotated[float, Meta(ge=-85, le=85)]
Position = tuple[Lon, Lat]
Positions = Annotated[list[Position], Meta(min_length=2, max_length=MOST_VERTICES)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Trade = Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,39}$")]


class DrawnLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="LineString"):
    """A line drawn along the streets that are closed, or across one (GeoJSON)."""

    coordinates: Positions


class DrawnArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="Polygon"):
    """An area whose streets are closed (GeoJSON)."""

    coordinates: Annotated[
        list[Annotated[list[Position], Meta(min_length=4, max_length=MOST_VERTICES)]],
        Meta(min_length=1, max_length=20),
    ]


class CloseRoad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closure: whole `streets` by their number on the base map, or what lies on a `drawn` line or
    in a drawn area. It starts now and lasts until someone ends it, where no time is given.

    `direction` is that of the drawn line, or of the street's own line. `closed_to` is who may not
    pass: a market may be open to emergency vehicles and people on foot.
    """

    reason: Reason
    streets: Annotated[list[int], Meta(max_length=MOST_STREETS)] = []
    drawn: DrawnLine | DrawnArea | None = None
    direction: Direction = "both"
    closed_to: Annotated[tuple[Profile, ...], Meta(min_length=1, max_length=4)] = PROFILES
    starts: datetime | None = None
    ends: datetime | None = None
    trade: Trade = "traffic"


class OpenRoad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ends a closure now, or takes one back that has not begun."""

    closure: UUID
    version: int | None = None


class RoadClosure(msgspec.Struct, frozen=True):
    """A closure. `state` is planned, active or over; `parts` are the lines that are closed, in the
    direction that `direction` speaks of. `lost`: streets were imported since, and none of them lies
    there."""

    id: UUID
    version: int
    state: Literal["planned", "active", "over"]
    streets: list[str]
    reason: str
    direction: Direction
    closed_to: list[Profile]
    parts: list[list[Point]]
    drawn: dict[str, Any] | None
    point: Point
    metres: float
    starts: datetime
    ends: datetime | None
    created: datetime
    created_by: str
    ended: datetime | None
    ended_by: str
    lost: bool
    municipality: str
    municipalities: list[str]
    trade: str


class RouteStreet(msgspec.Struct, frozen=True):
    """A street of a way, in order."""

    name: str
    metres: float
    seconds: float


class RouteReason(msgspec.Struct, frozen=True):
    """Why a way is as it is, or why there is none: a message key with what it speaks of.

    `closure` is empty for one that the reader may not see; its streets are named all the same.
    """

    code: str
    closure: UUID | None = None
    streets: list[str] = []
    seconds: float | None = None


class RoadRoute(msgspec.Struct, frozen=True):
    """A way from one place to another; without `found` the reasons say why there is none.

    `start` and `end` are where on the streets it begins and ends.
    """

    found: bool
    profile: Profile
    at: datetime
    seconds: float | None
    metres: float | None
    geometry: list[Point]
    start: Point | None
    end: Point | None
    streets: list[RouteStreet]
    reasons: list[RouteReason]


class TravelTime(msgspec.Struct, frozen=True):
    """How long it takes between a place and one of the candidates, by its number in the question;
    nothing where there is no way."""

    candidate: int
    seconds: float | None
    metres: float | None


class NearestRoads(msgspec.Struct, frozen=True):
    """The nearest candidates first; those without a way last."""

    profile: Profile
    at: datetime
    items: list[TravelTime]


class RoadNetwork(msgspec.Struct, frozen=True):
    """How large the road graph is, and how much of it each way of travelling may use."""

    junctions: int
    edges: int
    kilometres: float
    usable_kilometres: dict[str, float]
    connected_kilometres: dict[str, float]
    closures: int
