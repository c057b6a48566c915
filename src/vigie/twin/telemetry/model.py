"""What is stored of a message, and what others are told of it."""

from datetime import datetime
from typing import Protocol

import msgspec

from vigie.twin.kinds import Kind
from vigie.twin.model import Value

NEVER = -(2**63) + 946_684_800_000_000
"""Before every time, in microseconds since 1970: PostgreSQL's -infinity."""


class MetricSet(msgspec.Struct, frozen=True, gc=False):
    """The metrics of a message of one kind: their number in history, their slots in state, and how
    the values as sent become slot order (None: they are).

    `padded` is the length of a row of history when it is not that of the values: NaN stands for
    what the message does not say (None: the set has a number of its own).
    """

    id: int
    kind: Kind
    metrics: tuple[str, ...]
    slots: tuple[int, ...]
    order: tuple[int, ...] | None
    padded: int | None = None


class Arrival(msgspec.Struct, gc=False):
    """One valid message of one device: times in microseconds since 1970, values in slot order."""

    asset: int
    boot: int
    n: int
    at: int
    recorded: int
    set: MetricSet
    values: tuple[float, ...]


class Known(msgspec.Struct, gc=False):
    """The latest state of an asset as the one writer of its lane knows it.

    `vals` and `ats` are by slot, as wide as its kind (NaN and NEVER: never told); `at` is the
    newest evidence, (`boot`, `n`) the message that brought it.
    """

    asset: int
    kind: Kind
    boot: int = 0
    n: int = 0
    at: int = NEVER
    recorded: int = 0
    vals: list[float] = []
    ats: list[int] = []


class Place(Protocol):
    """Where an asset that moves is: its newest position, already in its track (twin.track.Newest is
    one). `at` in microseconds since 1970."""

    @property
    def asset(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def longitude(self) -> float: ...
    @property
    def latitude(self) -> float: ...
    @property
    def speed(self) -> float | None: ...
    @property
    def heading(self) -> float | None: ...


class Evidence(msgspec.Struct, frozen=True):
    """What a stored message says of an asset, for those who wait for it."""

    asset: int
    values: dict[str, float]
    at: datetime


class Wanted(msgspec.Struct, frozen=True):
    """What orders want of one function of an asset: the value of the point that shows it; None
    when nothing shows it. `pending`: an order waits for evidence."""

    value: float | None
    pending: bool
    shown: bool


class AssetState(msgspec.Struct, frozen=True):
    """All that is known of an asset now; `wanted` by function."""

    asset: int
    at: datetime | None
    values: dict[str, Value]
    wanted: dict[str, Wanted]


class Series(msgspec.Struct, frozen=True):
    """One metric over time: `t` in milliseconds since 1970. Coarser than raw, `v` is the mean of
    the bucket that starts at `t`, `low` and `high` its extremes."""

    metric: str
    unit: str
    resolution: str
    t: list[int]
    v: list[float]
    low: list[float] | None = None
    high: list[float] | None = None
