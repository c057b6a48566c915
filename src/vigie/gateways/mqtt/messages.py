"""The words devices and the platform exchange over MQTT, and the reasons why one is refused.

Pure: bytes in, structs and refusals out; what needs the registry (does this device exist, does its
kind have this metric, in what range) is checked by the ingest. Published as JSON Schema at
`/api/v1/mqtt-schema.json` and explained in docs/mqtt.md.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from vigie.gateways.clients.text import clean
from vigie.gateways.ingest.messages import (
    FUTURE,
    MAX_BATCH,
    MAX_PAYLOAD,
    MAX_VALUES,
    PAST,
    REASONS,
    AckStatus,
    Content,
    Measured,
    Raw,
    Refusal,
    Source,
    instant,
)

TOKEN_PATTERN = "^[A-Za-z0-9_-]{1,64}$"  # noqa: S105 - a pattern, not a secret
Token = Annotated[str, Meta(pattern=TOKEN_PATTERN, description="Issued by the platform.")]
Moment = Annotated[
    Annotated[datetime, Meta(tz=True)] | int,
    Meta(description="RFC 3339 with its offset, or milliseconds since 1970 (UTC)."),
]


class Reading(Struct, gc=False):
    """What a device measured at one moment. (device, boot, n) names it for ever: a copy of it has
    no effect."""

    device: Token
    boot: Annotated[
        int, Meta(ge=0, le=32767, description="Counts the restarts of the device, for ever.")
    ]
    n: Annotated[
        int, Meta(ge=0, le=2**31 - 1, description="Counts the messages since that restart.")
    ]
    stamp: Moment = msgspec.field(name="at")
    values: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=64)], float],
        Meta(min_length=1, max_length=MAX_VALUES, description="Metric names of the kind."),
    ]

    @property
    def at(self) -> datetime:
        """When it was measured, UTC and aware."""
        return instant(self.stamp)


class Ack(Struct, gc=False):
    """What a device answers to a command, once for each copy it receives."""

    id: Annotated[UUID, Meta(description="The command's id.")]
    device: Token
    stamp: Moment = msgspec.field(name="at")
    status: Annotated[
        AckStatus,
        Meta(description="received: it has the order; done: carried out; refused, failed: not."),
    ]
    code: (
        Annotated[
            str,
            Meta(
                pattern="^[a-z0-9_.-]{1,64}$", description="Why not, as a stable word: interlock."
            ),
        ]
        | None
    ) = None
    detail: Annotated[str, Meta(max_length=200, description="For people.")] | None = None

    @property
    def at(self) -> datetime:
        """When it was answered, UTC and aware."""
        return instant(self.stamp)


class Command(Struct, frozen=True):
    """An order, on `down/{client}/{device}/command`: sent again until acknowledged or expired. The
    device carries out an id once, acknowledges each copy, and ignores an expired one."""

    id: Annotated[UUID, Meta(description="Carried out once.")]
    device: Token
    verb: Annotated[str, Meta(description="A command of the device's kind: set_dimming_level.")]
    params: Annotated[dict[str, Any], Meta(description="Named and limited by the kind.")]
    issued_at: datetime
    expires_at: Annotated[datetime, Meta(description="Not to be carried out from here on.")]


PREFIX = "$MQTT.msgs."

# Of messages that adapters hand over themselves.
_NOT_MQTT = {"unreadable", "does_not_move", "no_sink"}

T = TypeVar("T", Reading, Ack)


class _Wire(Generic[T]):
    """Decoders of one message: whole payload at once, or each element by itself."""

    def __init__(self, kind: type[T]) -> None:
        self.whole: msgspec.json.Decoder[T | list[T]] = msgspec.json.Decoder(kind | list[kind])
        self.one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)


_READINGS = _Wire(Reading)
_ACKS = _Wire(Ack)
_ONE: msgspec.json.Decoder[Reading] = msgspec.json.Decoder(Reading)
_RAW: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_NAME_MOST = 64


class _Values(Struct):
    """The values of a reading, undecoded: to find the one that is wrong."""

    values: dict[str, msgspec.Raw]


_VALUES = msgspec.json.Decoder(_Values)
_NUMBER: msgspec.json.Decoder[float] = msgspec.json.Decoder(float)
_TYPE = re.compile(r"^Expected `([^`]*)`, got `([^`]*)`")
_MISSING = re.compile(r"required field `([^`]*)`")
_PATH = re.compile(r" - at (`key` in )?`([^`]*)`$")
_DEVICE = re.compile(rb'"device"\s*:\s*"([A-Za-z0-9_-]{1,64})"')


def decode_readings(
    payload: bytes, now: datetime, *, timely: bool = True
) -> tuple[Sequence[Reading], list[Refusal]]:
    """The readings of a payload, and why the others were refused.

    A batch that holds one bad element loses that element alone.
    """
    return _decode(_READINGS, payload, now if timely else None)


def decode_acks(payload: bytes, now: datetime) -> tuple[Sequence[Ack], list[Refusal]]:
    """The acknowledgements of a payload, and why the others were refused."""
    return _decode(_ACKS, payload, now)


def encode_command(command: Command) -> bytes:
    """The payload a device receives; times end in Z."""
    return msgspec.json.encode(command)


class MqttFormat:
    """How the broker's stream is written: JSON, with the sender in the subject."""

    def source(self, subject: bytes) -> Source | None:
        """Client and channel."""
        try:
            return parse_subject(subject.decode("ascii"))
        except UnicodeDecodeError:
            return None

    def topic(self, subject: bytes) -> str:
        """The MQTT topic."""
        return subject.decode("ascii", "replace").removeprefix(PREFIX).replace(".", "/")

    def subject(self, topic: str) -> bytes:
        """The broker's subject for a topic."""
        return (PREFIX + topic.replace("/", ".")).encode()

    def one(self, data: bytes) -> Measured:
        """A single reading, as most messages are."""
        reading = _ONE.decode(data)
        if len(data) > MAX_PAYLOAD or not data.isascii():
            raise msgspec.DecodeError
        return reading

    def all(self, raw: Raw, source: Source, *, timely: bool) -> Content:
        """Readings or acknowledgements, and what is wrong with the others."""
        if source.channel == "ack":
            acks, refusals = decode_acks(raw.data, raw.received)
            return Content(acks=acks, refusals=refusals)
        readings, refusals = decode_readings(raw.data, raw.received, timely=timely)
        return Content(readings, refusals=refusals)

    def piece(self, message: Any) -> bytes:
        """JSON."""
        return msgspec.json.encode(message)


def parse_subject(subject: str) -> Source | None:
    """Where a message came in, from `$MQTT.msgs.up.0.g7K2.reading` or `up.0.g7K2.reading`."""
    parts = subject.removeprefix(PREFIX).split(".")
    if len(parts) != 4 or parts[0] != "up" or not parts[1].isdecimal():
        return None
    channel = parts[3]
    if channel != "reading" and channel != "ack":
        return None
    return Source(int(parts[1]), parts[2], channel)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the three messages."""
    _, definitions = msgspec.json.schema_components(
        (Reading, Ack, Command), ref_template="#/$defs/{name}"
    )

    def one_or_many(name: str) -> dict[str, Any]:
        reference = {"$ref": f"#/$defs/{name}"}
        return {
            "anyOf": [
                reference,
                {"type": "array", "items": reference, "minItems": 1, "maxItems": MAX_BATCH},
            ]
        }

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Vigie's messages over MQTT",
        "$defs": definitions,
        "topics": {
            "up/{shard}/{client}/reading": one_or_many("Reading"),
            "up/{shard}/{client}/ack": one_or_many("Ack"),
            "down/{client}/{device}/command": {"$ref": "#/$defs/Command"},
        },
        "limits": {
            "payload_bytes": MAX_PAYLOAD,
            "batch": MAX_BATCH,
            "future_seconds": int(FUTURE.total_seconds()),
            "past_days": PAST.days,
        },
        "refusals": {code: why for code, why in REASONS.items() if code not in _NOT_MQTT},
    }


def _decode(
    wire: _Wire[T], payload: bytes, now: datetime | None
) -> tuple[Sequence[T], list[Refusal]]:
    """Without `now`, times are not judged."""
    size = len(payload)
    if size == 0:
        return (), [Refusal("empty", {}, b"")]
    if size > MAX_PAYLOAD:
        return (), [_refused("too_large", payload, size=size, limit=MAX_PAYLOAD)]
    span = None if now is None else (now - PAST, now + FUTURE)
    try:
        if not payload.isascii():
            payload.decode()
        decoded = wire.whole.decode(payload)
    except msgspec.ValidationError as error:
        elements = _elements(payload)
        if elements is None:
            return (), [_explained(error, payload)]
        return _one_by_one(wire, elements, payload, span)
    except msgspec.DecodeError as error:
        return (), [_refused("not_json", payload, cause=clean(str(error)))]
    except UnicodeDecodeError as error:
        return (), [_refused("not_utf8", payload, byte=error.start)]
    except RecursionError:
        return (), [_refused("too_deep", payload)]
    if not isinstance(decoded, list):
        refusal = _untimely(decoded, span, payload)
        return ((), [refusal]) if refusal else ((decoded,), [])
    if not 0 < len(decoded) <= MAX_BATCH:
        return (), [_batch(len(decoded), payload)]
    good: list[T] = []
    bad: list[Refusal] = []
    for element in decoded:
        refusal = _untimely(element, span, None)
        if refusal:
            bad.append(refusal)
        else:
            good.append(element)
    return good, bad


def _one_by_one(
    wire: _Wire[T],
    elements: Sequence[msgspec.Raw],
    payload: bytes,
    span: tuple[datetime, datetime] | None,
) -> tuple[Sequence[T], list[Refusal]]:
    if not 0 < len(elements) <= MAX_BATCH:
        return (), [_batch(len(elements), payload)]
    good: list[T] = []
    bad: list[Refusal] = []
    for raw in elements:
        piece = bytes(raw)
        try:
            element = wire.one.decode(piece)
        except msgspec.ValidationError as error:
            bad.append(_explained(error, piece))
            continue
        except RecursionError:
            bad.append(_refused("too_deep", piece))
            continue
        refusal = _untimely(element, span, piece)
        if refusal:
            bad.append(refusal)
        else:
            good.append(element)
    return good, bad


def _elements(payload: bytes) -> list[msgspec.Raw] | None:
    try:
        return _RAW.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _untimely(
    message: Reading | Ack, span: tuple[datetime, datetime] | None, payload: bytes | None
) -> Refusal | None:
    if span is None:
        return None
    early, late = span
    stamp = message.stamp
    if isinstance(stamp, int):
        low, high = early.timestamp() * 1000, late.timestamp() * 1000
        code = "at_past" if stamp < low else "at_future" if stamp > high else ""
    else:
        code = "at_past" if stamp < early else "at_future" if stamp > late else ""
    if not code:
        return None
    piece = msgspec.json.encode(message) if payload is None else payload
    return Refusal(code, {"at": clean(str(stamp))}, piece, message.device)


def _explained(error: msgspec.ValidationError, payload: bytes) -> Refusal:
    """msgspec's sentence as a code and parameters."""
    said = str(error)
    path = _PATH.search(said)
    where = path.group(2) if path else "$"
    field = where.removeprefix("$").removeprefix(".") or "$"
    if field == "values[...]" or (field == "values" and path and path.group(1)):
        field = _faulty_metric(payload) or field
    if match := _MISSING.search(said):
        inside = "" if field == "$" else f"{field}."
        return _refused("missing_field", payload, field=inside + match.group(1))
    if match := _TYPE.match(said):
        return _refused(
            "wrong_type", payload, field=field, expected=match.group(1), got=match.group(2)
        )
    return _refused("wrong_value", payload, field=field, rule=clean(_PATH.sub("", said)))


def _faulty_metric(payload: bytes) -> str:
    """Which value of a reading is no number, or has no usable name: msgspec says only that one
    is. Empty when it cannot be found."""
    try:
        values = _VALUES.decode(payload).values
    except (msgspec.MsgspecError, RecursionError):
        return ""
    for name, raw in values.items():
        try:
            _NUMBER.decode(raw)
        except msgspec.MsgspecError:
            return f"values.{clean(name, _NAME_MOST)}"
        if not 0 < len(name) <= _NAME_MOST:
            return f"values.{clean(name, _NAME_MOST)}"
    return ""


def _batch(length: int, payload: bytes) -> Refusal:
    if length == 0:
        return _refused("batch_empty", payload)
    return _refused("batch_too_long", payload, length=length, limit=MAX_BATCH)


def _refused(code: str, payload: bytes, **params: Any) -> Refusal:
    match = _DEVICE.search(payload[:MAX_PAYLOAD])
    return Refusal(code, params, payload, match.group(1).decode() if match else None)
