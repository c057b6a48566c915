"""The HTTP form of OsmAnd and of the tracking apps that imitate it. Pure.

    GET /?id=TOKEN&key=SECRET&lat=47.3216&lon=5.0415&timestamp=1764345600&speed=8.3&bearing=271

The same names come as a form (POST), as a JSON object, or as the JSON of background location
plug-ins: {"device_id": …, "location": {"timestamp": …, "coords": {"latitude": …, …}}}. Speed is in
m/s as OsmAnd's manual says (`speed_unit=kn` for apps that send knots).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from vigie.gateways.ingest import Positions
from vigie.gateways.positions.model import Malformed

MOST_BYTES = 16_384
_MOST_FIELDS = 64
_KNOT = 1852 / 3600
_MILLISECONDS_FROM = 100_000_000_000


class Login(msgspec.Struct, frozen=True):
    """Who says it: an id, with the secret that goes with it ("" for none)."""

    id: str
    key: str


def decode_query(query: bytes) -> dict[str, str]:
    """The parameters of an address or a form. Raises Malformed."""
    if len(query) > MOST_BYTES:
        raise Malformed("too_large", f"More than {MOST_BYTES} bytes of parameters.")
    try:
        text = query.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Malformed("unreadable", f"The parameters cannot be read: {error}.") from None
    return dict(pairs)


def decode_json(body: bytes) -> dict[str, str]:
    """The same parameters from a JSON body, flat or as location plug-ins write it. Raises
    Malformed."""
    if len(body) > MOST_BYTES:
        raise Malformed("too_large", f"More than {MOST_BYTES} bytes of JSON.")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed("not_json", f"The body is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Malformed("wrong_type", "The body is not a JSON object.")
    given = cast("dict[str, Any]", value)
    location = given.get("location")
    if not isinstance(location, dict):
        return _texts(given)
    place = cast("dict[str, Any]", location)
    coords: Any = place.get("coords")
    if not isinstance(coords, dict):
        raise Malformed("missing_field", "location.coords is absent.")
    spelled = {"latitude": "lat", "longitude": "lon", "heading": "bearing"}
    fields = {spelled.get(k, k): v for k, v in cast("dict[str, Any]", coords).items()}
    fields["timestamp"] = place.get("timestamp")
    fields["id"] = given.get("device_id") or given.get("id")
    fields["key"] = given.get("key")
    # These plug-ins say -1 for "not known".
    return {
        name: text
        for name, text in _texts(fields).items()
        if not (name in ("speed", "bearing", "accuracy") and text.startswith("-"))
    }


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in list(fields.items())[:_MOST_FIELDS]:
        if isinstance(value, bool):
            kept[name] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            kept[name] = str(value)
    return kept


def login_of(fields: Mapping[str, str]) -> Login:
    """Who says it. Raises Malformed."""
    name = fields.get("id") or fields.get("deviceid") or ""
    if not name or len(name) > 64:
        raise Malformed("missing_field", "`id` is absent or over 64 characters.")
    return Login(name, fields.get("key", "")[:200])


def position_of(fields: Mapping[str, str], received_ms: int, client: str, device: str) -> Positions:
    """The position in some parameters. Raises Malformed."""
    lat, lon = _number(fields, "lat"), _number(fields, "lon")
    if lat is None or lon is None:
        raise Malformed("missing_field", "`lat` or `lon` is absent.")
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Malformed("position_out_of_range", "`lat` is within ±90 and `lon` within ±180.")
    speed = _number(fields, "speed")
    if speed is not None and fields.get("speed_unit") == "kn":
        speed *= _KNOT
    accuracy = _number(fields, "accuracy")
    heading = _number(fields, "bearing")
    return Positions(
        client,
        device,
        time_of(fields.get("timestamp", ""), received_ms),
        lon,
        lat,
        _number(fields, "altitude"),
        speed,
        _number(fields, "heading") if heading is None else heading,
        # OsmAnd writes metres of accuracy under the name hdop.
        _number(fields, "hdop") if accuracy is None else accuracy,
        None,
        fields.get("valid", "true").lower() not in ("false", "0"),
    )


def time_of(text: str, received_ms: int) -> int:
    """A time in seconds or milliseconds since 1970, or ISO 8601 with its offset; when the device
    says none, it is when it was received. Raises Malformed."""
    if not text:
        return received_ms
    try:
        number = float(text)
    except ValueError:
        return _written(text)
    if not math.isfinite(number) or not 0 <= number < 1e14:
        raise Malformed("wrong_value", "`timestamp` is no time.")
    return round(number if number >= _MILLISECONDS_FROM else number * 1000)


def _written(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Malformed("wrong_value", "`timestamp` is no time.") from None


def _number(fields: Mapping[str, str], name: str) -> float | None:
    text = fields.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e9:
        raise Malformed("wrong_value", f"`{name}` is no number.")
    return value
