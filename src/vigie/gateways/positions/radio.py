"""Radios behind a gateway: one JSON object a line, each acknowledged by its number when it is
stored. Pure.

    → {"login": "TOKEN", "secret": "…"}                                        ← {"ok": true}
    → {"n": 1, "type": "position", "radio": "1234", "lat": 47.3, "lon": 5.04}   ← {"ack": 1}
    → {"n": 2, "type": "status", "radio": "1234", "code": 4}
    → {"n": 3, "type": "text", "radio": "1234", "text": "On scene"}
    → {"n": 4, "type": "talk_group", "radio": "1234", "group": 10201}
    → {"n": 5, "type": "emergency", "radio": "1234", "on": true}
    → {"n": 6, "type": "lip", "radio": "1234", "pdu": "003958…"}

`at` is milliseconds since 1970 or a time with its offset; without it, when the line was received. A
short report of TETRA's LIP is passed on as it came, in hexadecimal (`lip`). `radio` is the token of
the radio or the name that the gateway's client has for it.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from vigie.gateways.ingest import Events, Positions
from vigie.gateways.positions import lip
from vigie.gateways.positions.model import Malformed, Message

MOST_BYTES = 8_192
EMERGENCY = 2
"""LIP: the reason for sending of a radio whose red button was pressed."""

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[str, Meta(max_length=500)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Stamp = datetime | Annotated[int, Meta(ge=0, le=10**14)]


class RadioLogin(msgspec.Struct, frozen=True):
    """The first line."""

    login: Name
    secret: Annotated[str, Meta(max_length=200)]


class _Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    radio: Name
    n: Number | None = None
    at: Stamp | None = None


class RadioPosition(_Line, frozen=True, kw_only=True, tag="position"):
    """Where a radio is; speed in m/s, heading in degrees, accuracy in metres."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    speed: Annotated[float, Meta(ge=0, le=1000)] | None = None
    heading: Annotated[float, Meta(ge=0, le=360)] | None = None
    accuracy: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    altitude: Annotated[float, Meta(ge=-1000, le=1e5)] | None = None
    valid: bool = True


class RadioStatus(_Line, frozen=True, kw_only=True, tag="status"):
    """A status that was chosen on the radio, by its code."""

    code: Annotated[int, Meta(ge=0, le=65_535)]


class RadioText(_Line, frozen=True, kw_only=True, tag="text"):
    """A text message."""

    text: Words


class RadioTalkGroup(_Line, frozen=True, kw_only=True, tag="talk_group"):
    """The group that the radio listens to now, by its number (GSSI)."""

    group: Annotated[int, Meta(ge=0, le=16_777_215)]


class RadioEmergency(_Line, frozen=True, kw_only=True, tag="emergency"):
    """The red button: pressed, or taken back."""

    on: bool


class RadioLip(_Line, frozen=True, kw_only=True, tag="lip"):
    """A short location report of TETRA's, in hexadecimal."""

    pdu: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{20}$")]


Line = RadioPosition | RadioStatus | RadioText | RadioTalkGroup | RadioEmergency | RadioLip
_LOGIN = msgspec.json.Decoder(RadioLogin)
_LINE: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def decode_login(line: bytes) -> RadioLogin:
    """The first line. Raises Malformed."""
    return _decoded(_LOGIN, line)


def decode(line: bytes) -> Line:
    """Any other line. Raises Malformed."""
    return _decoded(_LINE, line)


def _decoded(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    if len(line) > MOST_BYTES:
        raise Malformed("too_large", f"A line has {MOST_BYTES} bytes at most.")
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as error:
        raise Malformed("wrong_value", str(error)) from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Malformed("not_json", "A line is one JSON object.") from None


def number_of(line: bytes) -> int | None:
    """The number of a line that could not be taken, for the answer; None when it has none."""
    try:
        n = msgspec.json.decode(line[:MOST_BYTES], type=dict[str, Any]).get("n")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return n if isinstance(n, int) and not isinstance(n, bool) else None


def messages(line: Line, received_ms: int, client: str) -> list[Message]:
    """What a line says. Raises Malformed."""
    at = _ms(line.at, received_ms)
    own = "" if line.n is None else str(line.n)

    def event(name: str, fields: dict[str, str | float | bool | None]) -> list[Message]:
        return [Events(client, line.radio, at, name, fields, own)]

    match line:
        case RadioPosition():
            return [
                Positions(
                    client, line.radio, at, line.lon, line.lat, line.altitude, line.speed,
                    line.heading, line.accuracy, None, line.valid,
                )
            ]  # fmt: skip
        case RadioStatus():
            return event("status", {"code": line.code})
        case RadioText():
            return event("text", {"text": line.text})
        case RadioTalkGroup():
            return event("talk_group", {"talkGroup": line.group})
        case RadioEmergency():
            return event("emergency" if line.on else "emergency_ended", {})
        case RadioLip():
            report = lip.decode(bytes.fromhex(line.pdu))
            found: list[Message] = [
                Positions(
                    client, line.radio, at, report.lon, report.lat, None, report.speed_m_s,
                    report.heading_deg, report.accuracy_m, None, report.fresh,
                )
            ]  # fmt: skip
            return found + event("emergency", {}) if report.reason == EMERGENCY else found


def _ms(at: datetime | int | None, received_ms: int) -> int:
    if at is None:
        return received_ms
    if isinstance(at, int):
        return at
    if at.tzinfo is None:
        raise Malformed("wrong_value", "`at` is without its offset: end it with Z or +01:00.")
    try:
        return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Malformed("wrong_value", "`at` is no time.") from None
