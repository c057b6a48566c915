"""Rows as PostgreSQL's binary COPY and binary arrays: packed here, a microsecond a message.

psycopg adapts Python lists value by value; these are the two places where that is too slow.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from psycopg import AsyncConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format

from vigie.twin.telemetry import rules
from vigie.twin.telemetry.model import Arrival

POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970: where PostgreSQL's timestamps begin."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_FLOAT4 = 700
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def _row(values: int) -> struct.Struct:
    """device, n, at, boot, set, lag, vals: seven fields, each after its length."""
    return struct.Struct(">h ii ii iq ih ih ih i5i" + "if" * values)


def history_rows(arrivals: Iterable[Arrival]) -> bytes:
    """The COPY of these messages into a partition of twin.history."""
    out = [_HEADER]
    lag_s = rules.lag_s
    for a in arrivals:
        values = a.values if a.set.padded is None else padded(a, a.set.padded)
        count = len(values)
        vals: list[Any] = [4] * (2 * count)
        vals[1::2] = values
        out.append(
            _row(count).pack(
                7, 4, a.asset, 4, a.n, 8, a.at - POSTGRES_EPOCH, 2, a.boot, 2, a.set.id, 2,
                lag_s(a), 20 + 8 * count, 1, 0, _FLOAT4, count, 1, *vals,
            )
        )  # fmt: skip
    out.append(_TRAILER)
    return b"".join(out)


def padded(arrival: Arrival, length: int) -> list[float]:
    """The values by slot, NaN where the message says nothing."""
    values = [nan] * length
    for slot, value in zip(arrival.set.slots, arrival.values, strict=True):
        values[slot] = value
    return values


class Array:
    """A one-dimensional array in PostgreSQL's binary form."""

    __slots__ = ("data",)
    element = 0
    form = ""

    def __init__(self, values: ArrayLike) -> None:
        given = np.asarray(values).ravel()
        width = np.dtype(self.form).itemsize
        items = np.empty(len(given), dtype=[("length", ">i4"), ("value", self.form)])
        items["length"] = width
        items["value"] = given
        self.data = struct.pack(">5i", 1, 0, self.element, len(given), 1) + items.tobytes()


class Int2Array(Array):
    """int2[]"""

    element, form = 21, ">i2"


class Int4Array(Array):
    """int4[]"""

    element, form = 23, ">i4"


class Float8Array(Array):
    """float8[]"""

    element, form = 701, ">f8"


class TimeArray(Array):
    """timestamptz[], from microseconds since 1970."""

    element, form = 1184, ">i8"

    def __init__(self, values: ArrayLike) -> None:
        super().__init__(np.asarray(values, dtype=np.int64) - POSTGRES_EPOCH)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj.data


class _Int2Dumper(_ArrayDumper):
    oid = 1005


class _Int4Dumper(_ArrayDumper):
    oid = 1007


class _Float8Dumper(_ArrayDumper):
    oid = 1022


class _TimeDumper(_ArrayDumper):
    oid = 1185


def adapt(connection: AsyncConnection[Any]) -> None:
    """Teach a connection these arrays; cheap to repeat."""
    adapters = connection.adapters
    adapters.register_dumper(Int2Array, _Int2Dumper)
    adapters.register_dumper(Int4Array, _Int4Dumper)
    adapters.register_dumper(Float8Array, _Float8Dumper)
    adapters.register_dumper(TimeArray, _TimeDumper)


def instant(at_us: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=at_us)
