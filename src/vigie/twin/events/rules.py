"""Decisions about events: pure. Is one as its kind declares it, and what names it for ever."""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from vigie.core.text import fold
from vigie.twin import kinds
from vigie.twin.events.model import Event, Value
from vigie.twin.kinds import Choice, Field, Flag, Number, Text

FUTURE = timedelta(minutes=5)
PAST = timedelta(days=30)
"""An event that comes later than this is refused: its day may be gone."""


def time_fault(at: datetime, now: datetime) -> str | None:
    """Why an event's time cannot be; None when it can."""
    if at > now + FUTURE:
        return "at_future"
    return "at_past" if at < now - PAST else None


def checked(declared: kinds.Event, given: Mapping[str, Value]) -> dict[str, Any] | str:
    """The fields as they are stored, or the code of what is wrong. A choice is stored as its word;
    what a device leaves out, or says null of, is left out."""
    by_name = {field.name: field for field in declared.fields}
    kept: dict[str, Any] = {}
    for name, value in given.items():
        field = by_name.get(name)
        if field is None:
            return "unknown_field"
        if value is None:
            continue
        read = _value(field, value)
        if read is None:
            return "wrong_field"
        kept[name] = read
    return kept


def _value(field: Field, value: str | float | bool) -> Any:
    """A value as its field takes it; None when it does not."""
    match field:
        case Text(longest=longest):
            fits = isinstance(value, str) and len(value) <= longest and "\0" not in value
            return value if fits else None
        case Choice(words=words):
            return _word(words, value)
        case Flag():
            return bool(value) if not isinstance(value, str) and value in (0, 1) else None
        case Number(low=low, high=high):
            if isinstance(value, str):
                return None
            number = float(value)
            return number if math.isfinite(number) and low <= number <= high else None


def _word(words: tuple[str, ...], value: str | float | bool) -> str | None:
    if isinstance(value, str):
        return value if value in words else None
    if isinstance(value, bool) or not (0 <= value < len(words) and value == int(value)):
        return None
    return words[int(value)]


def name_of(event: Event) -> str:
    """The id of an event: the device's own, or what it says."""
    if event.id:
        return event.id
    said = msgspec.json.encode([event.name, sorted(event.fields.items())])
    return "#" + hashlib.blake2b(said, digest_size=12).hexdigest()


def key_of(asset: int, at: datetime, id_: str) -> UUID:
    """What names an event for ever. It begins with the time, in which rows are looked for."""
    ms = int(at.timestamp() * 1000)
    said = f"{asset}\n{int(at.timestamp() * 1e6)}\n{id_}".encode("utf-8", "surrogatepass")
    raw = ms.to_bytes(6, "big") + hashlib.blake2b(said, digest_size=10).digest()
    number = int.from_bytes(raw, "big")
    number = number & ~(0xF << 76) | 8 << 76
    return UUID(int=number & ~(0b11 << 62) | 0b10 << 62)


def instant_of(key: UUID) -> datetime:
    """The millisecond in which an event with this key happened. Raises ValueError or OverflowError
    for a key that is none."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, tz=UTC)


def folded(event: Event, asset_name: str, fields: Mapping[str, Any]) -> str:
    """The words an event is found by: what it is, where, and the texts it holds."""
    texts = [value for value in fields.values() if isinstance(value, str)]
    return fold(" ".join([event.name, asset_name, *texts]))
