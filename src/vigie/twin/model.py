"""Tables and structs of the registry."""

from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="twin")

ASSET = Table(
    "asset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token", Text),
    Column("kind", Text),
    Column("trade", Text),
    Column("source", Text),
    Column("source_id", Text),
    Column("name", Text),
    Column("folded", Text),
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
    Column("digest", LargeBinary),
    Column("version", Integer),
    Column("created", DateTime(timezone=True)),
    Column("updated", DateTime(timezone=True)),
)

WORD = Table(
    "word",
    metadata,
    Column("word", Text(collation="C")),
    Column("asset", Integer),
    Column("municipality", Text),
    Column("trade", Text),
)

TALLY = Table(
    "tally",
    metadata,
    Column("municipality", Text),
    Column("trade", Text),
    Column("kind", Text),
    Column("n", Integer),
)


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


class AssetSummary(msgspec.Struct, frozen=True):
    """A piece of equipment in a list."""

    id: int
    token: str
    kind: str
    trade: str
    name: str
    source_id: str
    municipality: str
    street: str
    point: tuple[float, float]
    retired: date | None
    state: dict[str, Value]
    version: int


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
    point: tuple[float, float]
    lifecycle: Lifecycle
    attributes: dict[str, Any]
    topology: Topology
    gateway: GatewayInfo | None
    state: dict[str, Value]
    desired: dict[str, float] | None
    version: int
