"""Positions as they come, as they are stored, and as they are read."""

from datetime import datetime
from typing import Literal, Protocol

import msgspec


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where a piece of equipment says it was. Times in microseconds since 1970, WGS 84 degrees;
    None where the device does not say. `valid` False: the device had no fix."""

    asset: int
    at: int
    recorded: int
    lon: float
    lat: float
    speed_m_s: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    valid: bool = True


class Reported(Protocol):
    """A position as a gateway hands it over: times aware, None where the device does not say."""

    @property
    def asset(self) -> int:
        """Whose it is."""
        ...

    @property
    def at(self) -> datetime:
        """When it was there."""
        ...

    @property
    def recorded(self) -> datetime:
        """When the platform received it."""
        ...

    @property
    def lon(self) -> float:
        """Degrees, WGS 84."""
        ...

    @property
    def lat(self) -> float:
        """Degrees, WGS 84."""
        ...

    @property
    def speed_m_s(self) -> float | None:
        """Metres a second."""
        ...

    @property
    def heading_deg(self) -> float | None:
        """Degrees from north, clockwise."""
        ...

    @property
    def accuracy_m(self) -> float | None:
        """How far off it may be, in metres."""
        ...

    @property
    def valid(self) -> bool:
        """The receiver had a fix."""
        ...


class Fix(msgspec.Struct, frozen=True, gc=False):
    """A position as it is stored: milliseconds since 1970, 1e-7 degree, cm/s, tenths of a degree,
    decimetres; -1 where not known."""

    asset: int
    ms: int
    lon: int
    lat: int
    speed: int
    heading: int
    accuracy: int
    flags: int = 0


class Held(msgspec.Struct, gc=False):
    """What is known of where an asset is, during a batch (twin.position). `last` is the newest
    stored instant, doubted positions included; `doubt` a jump that no second fix confirmed yet."""

    asset: int
    fix: Fix | None = None
    last: int = -1
    recorded: int = 0
    doubt: Fix | None = None
    located: tuple[int, int] = (0, 0)
    municipality: str = ""
    street: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """A position that is none, and why: `no_fix`, `out_of_bounds`, `at_past`, `at_future`,
    `unknown_asset`."""

    position: Position
    code: str


class Newest(msgspec.Struct, frozen=True):
    """Where an asset is after a batch, under the names that the state of a moving kind begins
    with: the lane puts it into its state and into the live columns, and never into history."""

    asset: int
    at: int
    longitude: float
    latitude: float
    speed: float | None
    heading: float | None


class Stored(msgspec.Struct):
    """What a batch changed."""

    fresh: int = 0
    repeated: int = 0
    late: int = 0
    jumps: int = 0
    refused: list[Refusal] = []
    newest: list[Newest] = []


class TrackLine(msgspec.Struct, frozen=True, tag_field="type", tag="LineString"):
    """A line of [lon, lat], WGS 84."""

    coordinates: list[tuple[float, float]]


class TrackPoint(msgspec.Struct, frozen=True, tag_field="type", tag="Point"):
    """A segment of one position: [lon, lat], WGS 84."""

    coordinates: tuple[float, float]


class TrackSegment(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A stretch without a gap: `t` in milliseconds since 1970, `speed` in m/s and `heading` in
    degrees for each of its positions, null where the device did not say. `jump`: a position that
    nothing could have reached from the one before; it is in no line."""

    asset: int
    from_: datetime
    to: datetime
    length_m: float
    jump: bool
    t: list[int]
    speed: list[float | None]
    heading: list[float | None]


class TrackFeature(msgspec.Struct, frozen=True):
    """One segment as GeoJSON."""

    geometry: TrackLine | TrackPoint
    properties: TrackSegment
    type: Literal["Feature"] = "Feature"


class Track(msgspec.Struct, frozen=True):
    """Where equipment was, as a FeatureCollection of segments in order of time. `positions` were
    read, `shown` are left after simplifying."""

    features: list[TrackFeature]
    positions: int
    shown: int
    type: Literal["FeatureCollection"] = "FeatureCollection"


class PositionNow(msgspec.Struct, frozen=True):
    """Where equipment is: its newest accepted position with the street and municipality there
    (its scope stays with its owner)."""

    asset: int
    at: datetime
    point: tuple[float, float]
    speed_m_s: float | None
    heading_deg: float | None
    accuracy_m: float | None
    municipality: str
    street: str
