"""What comes up from devices, whatever protocol they speak, and why one message is refused.

Pure. An adapter makes `Readings`, `Events` and `Positions` of what its peer says and hands them to
`accept`; a stream that a broker fills by itself (MQTT) brings a `Format` that reads its messages.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

import msgspec

MAX_PAYLOAD = 64 * 1024
MAX_BATCH = 500
MAX_VALUES = 64
FUTURE = timedelta(minutes=5)
PAST = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

AckStatus = Literal["received", "done", "refused", "failed"]

# A time as devices say it: aware, or in milliseconds since 1970 (UTC).
Stamp = datetime | int


class Raw(NamedTuple):
    """A message as the stream holds it: sequence, time of receipt (ns), subject, payload."""

    sequence: int
    time_ns: int
    subject: bytes
    data: bytes
    delivery: int

    @property
    def received(self) -> datetime:
        """When it was received."""
        return datetime.fromtimestamp(self.time_ns / 1e9, UTC)


class Readings(msgspec.Struct, tag="r", array_like=True, gc=False):
    """What a device measured at one moment: `values` by metric name of its kind.

    `device` is its token, or the name that its client has for it (`ref`). A device that numbers its
    messages says (boot, n): a copy of one has no effect. For the others the lane gives a number to
    each message that was accepted.
    """

    client: str
    device: str
    at: Stamp
    values: dict[str, float]
    boot: int | None = None
    n: int | None = None


class Events(msgspec.Struct, tag="e", array_like=True, gc=False):
    """Something that happened at a device: a door forced, a badge read. `id` is the peer's own
    number of it, when it has one."""

    client: str
    device: str
    at: Stamp
    name: str
    fields: dict[str, str | float | bool | None] = {}
    id: str = ""


class Positions(msgspec.Struct, tag="p", array_like=True, gc=False):
    """Where a device was (WGS 84); `valid` is what its receiver says of the fix."""

    client: str
    device: str
    at: Stamp
    lon: float
    lat: float
    altitude: float | None = None
    speed_m_s: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    satellites: int | None = None
    valid: bool = True


class Answers(msgspec.Struct, tag="a", array_like=True, gc=False):
    """What a device answers to the order `id`: received, done, refused or failed."""

    client: str
    device: str
    at: Stamp
    id: UUID
    status: AckStatus
    code: str | None = None
    detail: str | None = None

    @property
    def stamp(self) -> Stamp:
        """The device's time."""
        return self.at


Message = Readings | Events | Positions | Answers


class Measured(Protocol):
    """A reading as a stream's format decodes it; `stamp` is the device's time."""

    device: str
    boot: int
    n: int
    stamp: Stamp
    values: dict[str, float]


class Answered(Protocol):
    """A device's answer to an order."""

    @property
    def id(self) -> UUID:
        """Of the order."""
        ...

    @property
    def device(self) -> str:
        """Which device answers."""
        ...

    @property
    def stamp(self) -> Stamp:
        """Its own time."""
        ...

    @property
    def status(self) -> AckStatus:
        """What became of the order."""
        ...

    @property
    def code(self) -> str | None:
        """Why not, as a stable word."""
        ...

    @property
    def detail(self) -> str | None:
        """Why not, for people."""
        ...


class Source(msgspec.Struct, frozen=True):
    """Where a message came in, hence who sent it. `channel` is "reading" where a message is most
    often one reading: it is then decoded at once."""

    shard: int
    client: str
    channel: str


class Refusal(msgspec.Struct, frozen=True):
    """Why a message, or one element of a batch, was not taken.

    `code` is a message key of `REASONS`; `payload` the refused element alone.
    """

    code: str
    params: dict[str, Any]
    payload: bytes
    device: str | None = None


class Content(msgspec.Struct):
    """All that one message of a stream holds."""

    readings: Sequence[Measured] = ()
    acks: Sequence[Answered] = ()
    events: Sequence[Events] = ()
    positions: Sequence[Positions] = ()
    refusals: Sequence[Refusal] = ()


class Format(Protocol):
    """How the messages of one stream are written."""

    def source(self, subject: bytes) -> Source | None:
        """Where a message came in; None when that is no address of the platform's."""
        ...

    def topic(self, subject: bytes) -> str:
        """The same as people know it."""
        ...

    def subject(self, topic: str) -> bytes:
        """The way back, for what is read again from quarantine."""
        ...

    def one(self, data: bytes) -> Measured:
        """The common case, one reading. Raises MsgspecError, UnicodeError or RecursionError for
        anything else, which `all` explains."""
        ...

    def all(self, raw: Raw, source: Source, *, timely: bool) -> Content:
        """Everything in a message. Unless `timely`, the device's clock is not judged."""
        ...

    def piece(self, message: Any) -> bytes:
        """One element as a message of its own."""
        ...


REASONS: dict[str, str] = {
    "empty": "The message has no payload.",
    "too_large": "The payload is over the limit; send smaller batches.",
    "not_utf8": "The payload is not UTF-8.",
    "not_json": "The payload is not JSON (NaN and Infinity are not JSON).",
    "too_deep": "The JSON is nested too deeply.",
    "unreadable": "The payload is not in the form that the platform writes itself.",
    "batch_empty": "The batch holds no element.",
    "batch_too_long": "The batch holds more elements than allowed.",
    "missing_field": "A required field is absent.",
    "wrong_type": "A field has the wrong type.",
    "wrong_value": "A field's value is outside its limits or form.",
    "at_future": "The time is more than 5 minutes ahead: set the device's clock.",
    "at_past": "The time is more than 30 days ago.",
    "unknown_topic": "The topic is not one of the platform's.",
    "unknown_client": "The client is not registered or was revoked.",
    "unknown_device": "No device has this token.",
    "foreign_device": "The device belongs to another client.",
    "retired_device": "The device is retired.",
    "unknown_metric": "The device's kind has no such metric.",
    "metric_out_of_range": "The value is outside the range of its metric.",
    "position_out_of_range": "The coordinates are no place on earth.",
    "does_not_move": "Equipment of this kind stands where it is; it has no position of its own.",
    "unknown_command": "No command has this id for this device.",
    "no_sink": "The platform does not store events or positions yet; kept to be read again.",
    "unstorable": "The database refused the message; the platform's log says why.",
}


def microseconds(stamp: Stamp) -> int:
    """Since 1970. Raises OverflowError for a time outside of 64 bits."""
    if isinstance(stamp, int):
        return stamp * 1000
    passed = stamp - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def instant(stamp: Stamp) -> datetime:
    """As an aware time. Raises OverflowError for one that is none."""
    return _EPOCH + timedelta(milliseconds=stamp) if isinstance(stamp, int) else stamp
