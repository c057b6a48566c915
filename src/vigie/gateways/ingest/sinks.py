"""Who keeps what is no reading: the twin's events and tracks, bound by the composition.

A sink stores in the transaction that it is given, in which the lane's position moves too: what is
read again after a failure was not stored before. While a sink is not bound, what it would get is
kept in quarantine as `no_sink` and can be read again later.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from vigie.core.database import Unit
from vigie.gateways.ingest.messages import Events, Positions, Raw
from vigie.twin.kinds import Kind
from vigie.twin.telemetry import Place


class DeviceEvent(msgspec.Struct, frozen=True):
    """Something that happened at a piece of equipment. `id` is the peer's own, or empty."""

    asset: int
    at: datetime
    recorded: datetime
    name: str
    fields: dict[str, str | float | bool | None]
    id: str
    # As it came: for quarantine, never for a sink.
    raw: Raw
    message: Events


class DevicePosition(msgspec.Struct, frozen=True):
    """Where a piece of equipment was (WGS 84)."""

    asset: int
    kind: Kind
    at: datetime
    recorded: datetime
    lon: float
    lat: float
    altitude: float | None
    speed_m_s: float | None
    heading_deg: float | None
    accuracy_m: float | None
    satellites: int | None
    valid: bool
    raw: Raw
    message: Positions


class EventSink(Protocol):
    """Keeps events."""

    async def __call__(self, unit: Unit, events: Sequence[DeviceEvent], /) -> Any:
        """Store them in the caller's transaction."""
        ...


class Tracked(Protocol):
    """What a batch of positions changed."""

    @property
    def newest(self) -> Sequence[Place]:
        """Where equipment is now: the lane puts it into state."""
        ...


class TrackSink(Protocol):
    """Keeps positions in tracks."""

    async def __call__(self, unit: Unit, positions: Sequence[DevicePosition], /) -> Tracked:
        """Store them in the caller's transaction."""
        ...


class Sinks(msgspec.Struct, frozen=True):
    """What the composition binds; None is nobody yet."""

    events: EventSink | None = None
    tracks: TrackSink | None = None
