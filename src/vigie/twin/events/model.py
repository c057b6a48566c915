"""Events of equipment as they come, as they are declared, and as they are listed."""

from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

Value = str | float | bool | None

EVENT = Table(
    "event",
    MetaData(schema="twin"),
    Column("key", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("recorded", DateTime(timezone=True)),
    Column("asset", Integer),
    Column("asset_name", Text),
    Column("kind", Text),
    Column("name", Text),
    Column("municipality", Text),
    Column("trade", Text),
    Column("personal", Boolean),
    Column("abnormal", Boolean),
    Column("fields", JSONB),
    Column("folded", Text),
)


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a piece of equipment. `id` is the device's own number of it; equal
    events of one instant without one are one event."""

    asset: int
    at: datetime
    recorded: datetime
    name: str
    fields: dict[str, Value] = {}
    id: str = ""


class Happened(Protocol):
    """An event as a gateway hands it over."""

    @property
    def asset(self) -> int:
        """What it happened to."""
        ...

    @property
    def at(self) -> datetime:
        """When it happened."""
        ...

    @property
    def recorded(self) -> datetime:
        """When the platform received it."""
        ...

    @property
    def name(self) -> str:
        """As its kind declares it."""
        ...

    @property
    def fields(self) -> dict[str, Value]:
        """What it says."""
        ...

    @property
    def id(self) -> str:
        """The device's own number of it, or ""."""
        ...


class RefusedEvent(msgspec.Struct, frozen=True):
    """An event that was not taken, and why: `unknown_asset`, `unknown_event`, `unknown_field`,
    `wrong_field`, `at_past`, `at_future`."""

    event: Event
    code: str


class StoredEvents(msgspec.Struct):
    """What a batch changed: the keys of those that are new."""

    fresh: list[UUID] = []
    repeated: int = 0
    refused: list[RefusedEvent] = []


class AssetEvent(msgspec.Struct, frozen=True):
    """An event in a list. Where it is `personal`, `fields` are read apart, with a reason."""

    key: UUID
    at: datetime
    recorded: datetime
    asset: int
    asset_name: str
    kind: str
    name: str
    municipality: str
    trade: str
    personal: bool
    abnormal: bool
    fields: dict[str, Any]


class EventPersonal(msgspec.Struct, frozen=True):
    """What a personal event says."""

    key: UUID
    fields: dict[str, Any]


class EventErasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose personal events are erased: those in which a field has this value (a badge, a name)."""

    field: Annotated[str, Meta(min_length=1, max_length=100)]
    value: Annotated[str, Meta(min_length=1, max_length=500)]
    reason: Annotated[str, Meta(min_length=3, max_length=500)]


class EventsErased(msgspec.Struct, frozen=True):
    """How many events lost what they said."""

    erased: int
