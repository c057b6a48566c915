"""What the registry tells of equipment; the tables that queries are built over (migration 0005)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Column, Date, Float, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

_META = MetaData(schema="twin")

ASSET = Table(
    "asset",
    _META,
    Column("id", Integer, primary_key=True),
    Column("token", Text),
    Column("kind", Text),
    Column("trade", Text),
    Column("name", Text),
    Column("source", Text),
    Column("source_id", Text),
    Column("municipality", Text),
    Column("street", Text),
    Column("lon", Float),
    Column("lat", Float),
    Column("parent", Integer),
    Column("feeder", Text),
    Column("installed", Date),
    Column("commissioned", Date),
    Column("retired", Date),
    Column("manufacturer", Text),
    Column("model", Text),
    Column("attributes", JSONB),
    Column("version", Integer),
).alias("a")
WORDS = Table(
    "word",
    _META,
    Column("word", Text),
    Column("asset", Integer),
    Column("municipality", Text),
    Column("trade", Text),
)
WORD = WORDS.alias("w")
TALLY = Table(
    "tally",
    _META,
    Column("municipality", Text),
    Column("trade", Text),
    Column("kind", Text),
    Column("n", BigInteger),
).alias("t")

Point = tuple[float, float]


class AssetRef(msgspec.Struct, frozen=True):
    """Another piece of equipment, by name."""

    id: int
    name: str
    kind: str


class Lifecycle(msgspec.Struct, frozen=True):
    """When the equipment came and went, and who made it."""

    installed: date | None
    commissioned: date | None
    retired: date | None
    manufacturer: str
    model: str


class Topology(msgspec.Struct, frozen=True):
    """What feeds it: its parent, the parents above (nearest first), the circuit's name."""

    parent: AssetRef | None
    ancestors: list[AssetRef]
    children_count: int
    feeder: str


class GatewayInfo(msgspec.Struct, frozen=True):
    """The client through which the equipment speaks."""

    token: str
    online: bool
    last_seen: datetime | None


class Value(msgspec.Struct, frozen=True):
    """A value with the time of its evidence; `stale` once older than its kind promises."""

    value: float | None
    at: datetime | None
    unit: str
    stale: bool


class Asset(msgspec.Struct, frozen=True):
    """A piece of equipment with everything known of it. `point` is [lon, lat], WGS 84."""

    id: int
    token: str
    kind: str
    trade: str
    name: str
    source: str
    source_id: str
    municipality: str
    street: str
    point: Point
    lifecycle: Lifecycle
    attributes: dict[str, Any]
    topology: Topology
    gateway: GatewayInfo | None
    state: dict[str, Value]
    desired: dict[str, float] | None
    version: int


class AssetChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a person changes of a piece of equipment; what is not said stays.

    `attributes` are laid over the known ones; null takes one away. `parent` is an asset's id.
    """

    name: Annotated[str, Meta(max_length=300)] | msgspec.UnsetType = msgspec.UNSET
    street: Annotated[str, Meta(max_length=300)] | msgspec.UnsetType = msgspec.UNSET
    feeder: Annotated[str, Meta(max_length=300)] | msgspec.UnsetType = msgspec.UNSET
    manufacturer: Annotated[str, Meta(max_length=300)] | msgspec.UnsetType = msgspec.UNSET
    model: Annotated[str, Meta(max_length=300)] | msgspec.UnsetType = msgspec.UNSET
    installed: date | msgspec.UnsetType | None = msgspec.UNSET
    commissioned: date | msgspec.UnsetType | None = msgspec.UNSET
    retired: date | msgspec.UnsetType | None = msgspec.UNSET
    parent: int | msgspec.UnsetType | None = msgspec.UNSET
    point: Point | msgspec.UnsetType = msgspec.UNSET
    attributes: dict[str, str | int | float | bool | None] | msgspec.UnsetType = msgspec.UNSET
    reason: Annotated[str, Meta(max_length=500)] | None = None


class MetricView(msgspec.Struct, frozen=True):
    """A point as the screens need it; `promise_s` is null when only changes are told.

    Of a choice, `words` name the values from 0 on; `abnormal` are values that ask for a person.
    `counter`: it only grows, what counts is the difference.
    """

    name: str
    unit: str
    min: float
    max: float
    kind: Literal["number", "flag", "choice"]
    promise_s: float | None
    abnormal: list[float]
    words: list[str]
    counter: bool


class ParameterView(msgspec.Struct, frozen=True):
    """What an order or an event says beside its name: a number, yes or no, one of `words`, or text
    of `max` characters."""

    name: str
    kind: Literal["number", "flag", "choice", "text"]
    unit: str
    min: float
    max: float
    words: list[str]


class CommandView(msgspec.Struct, frozen=True):
    """A command a kind obeys: what it acts on, and what it demands of who gives it. `shows` names
    the point that shows a parameter, `sets` the points it brings to a value."""

    verb: str
    params: list[ParameterView]
    function: str
    demands: Literal["reason", "login", "second"]
    shows: dict[str, str]
    sets: dict[str, float]
    urgent: bool


class EventView(msgspec.Struct, frozen=True):
    """What may happen to equipment of a kind."""

    name: str
    fields: list[ParameterView]
    personal: bool
    abnormal: bool


class KindView(msgspec.Struct, frozen=True):
    """A kind of equipment; metrics in slot order. `draws`: those that the live columns carry, in
    their order; `marks`: faults that the map tells apart; `functions`: what orders act on, with the
    point that shows it."""

    name: str
    trade: str
    icon: str
    metrics: list[MetricView]
    events: list[EventView]
    commands: list[CommandView]
    moves: bool
    draws: list[str]
    marks: list[str]
    functions: dict[str, str]
    parents: list[str]
    life_years: float | None
    standard: str


class KindList(msgspec.Struct, frozen=True):
    """Every kind of equipment this installation knows."""

    items: list[KindView]
