"""Lists in pages: keyset, with a cursor that is opaque to the client and checked on its way back.

AFTER = Cursor("assets", str, int)                  # the sort key's types
after = AFTER.decode(cursor)                         # None on the first page
… where (name, id) > after order by name, id limit :limit + 1 …
return AFTER.page(rows, limit, key=lambda a: (a.name, a.id), total=total)

A list that is sorted and filtered in several ways is a `Listing` (core/lists), which does all this.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from vigie.core.clock import fault_of
from vigie.core.errors import Fault, Invalid, wrong_fields

T = TypeVar("T")
Key = type[str] | type[int] | type[float] | type[bool] | type[date] | type[datetime] | type[UUID]
MOST = 1000
_LONGEST = 8000
_INT64 = 2**63


class Page(msgspec.Struct, Generic[T]):
    """One page of a list; `next` asks for the following one, null on the last. `total` is null
    where it is not counted; `total_at_least` says where counting stopped."""

    items: list[T]
    next: str | None = None
    total: int | None = None
    total_at_least: int | None = None


class Cursor:
    """Where a list goes on: its name and the sort key of the last row seen. `nullable` says which
    parts of the key may be null."""

    def __init__(self, name: str, *types: Key, nullable: Sequence[bool] = ()) -> None:
        self._name = name
        self._decoder = _decoder(types, tuple(nullable) or (False,) * len(types))

    def encode(self, values: Sequence[Any]) -> str:
        """The cursor after a row with this key."""
        raw = msgspec.json.encode([self._name, *values])
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def decode(self, cursor: str | None) -> tuple[Any, ...] | None:
        """The key to go on after; None at the start. Raises Invalid for another list's cursor."""
        if not cursor:
            return None
        if len(cursor) > _LONGEST:
            raise self._wrong()
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
            name, *values = self._decoder.decode(raw)
        except (binascii.Error, ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise self._wrong() from error
        if name != self._name or not all(map(_ordinary, values)):
            raise self._wrong()
        return tuple(values)

    def page(
        self,
        rows: Sequence[T],
        limit: int,
        key: Callable[[T], Sequence[Any]],
        total: int | None = None,
    ) -> Page[T]:
        """A page from up to `limit + 1` rows: the extra one only tells that there are more."""
        items = list(rows[:limit])
        more = len(rows) > limit
        return Page(items, self.encode(key(items[-1])) if more and items else None, total)

    def _wrong(self) -> Invalid:
        return wrong_fields(
            Fault("cursor", "bad_cursor", "not a cursor"),
            code="bad_cursor",
            detail="This cursor belongs to another list or was altered: start again without one.",
        )


@lru_cache(maxsize=256)
def _decoder(types: tuple[Any, ...], nullable: tuple[bool, ...]) -> msgspec.json.Decoder[Any]:
    parts = [
        kind | None if may_be_null else kind
        for kind, may_be_null in zip(types, nullable, strict=True)
    ]
    return msgspec.json.Decoder(tuple[(str, *parts)], strict=True)  # type: ignore[misc]


def _ordinary(value: Any) -> bool:
    """True for what a row's key can be: a list never wrote anything else into a cursor."""
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    if isinstance(value, str):
        return "\0" not in value
    return not isinstance(value, datetime) or fault_of(value) is None
