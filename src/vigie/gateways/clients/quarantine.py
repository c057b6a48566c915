"""What passed the broker and not the validation: kept with its reason, bounded.

Of each source and reason the first hundred of an hour are kept whole, the rest only counted: a
broken gateway fills a table with its first faults, not with all of them. What is no fault of the
sender's (`no_sink`) is kept whole, all of it.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from vigie.core import filters
from vigie.core.database import Unit
from vigie.core.lists import Column as Shown
from vigie.core.lists import Listing, ListQuery
from vigie.core.paging import Page
from vigie.gateways.clients.model import Quarantined, Refused
from vigie.gateways.clients.refusals import tally
from vigie.gateways.clients.text import clean

KEPT_AN_HOUR = 100
PAYLOAD_KEPT = 4096
_SOURCES = 10_000
_KEPT_ALL = {"no_sink"}
_ROW = Table(
    "quarantine",
    MetaData(schema="gateways"),
    Column("id", BigInteger, primary_key=True),
    Column("received", DateTime(timezone=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("params", JSONB),
    Column("payload", LargeBinary),
    Column("size", Integer, nullable=False),
    Column("asset", Integer),
    Column("replayed", DateTime(timezone=True)),
    Column("municipality", Text),
    Column("trade", Text),
)


class Quarantine:
    """One ingest process's way into quarantine."""

    def __init__(self, kept_an_hour: int = KEPT_AN_HOUR) -> None:
        self._kept = kept_an_hour
        self._hour: datetime | None = None
        self._seen: Counter[tuple[str, str]] = Counter()

    async def put(self, unit: Unit, refused: Sequence[Refused]) -> None:
        """Keep or count each, in the caller's transaction."""
        if not refused:
            return
        counts: dict[tuple[datetime, str, str], tuple[int, datetime, str]] = {}
        taken: Counter[tuple[str, str]] = Counter()
        whole: list[Refused] = []
        for item in refused:
            hour = item.received.replace(minute=0, second=0, microsecond=0)
            key = (hour, clean(item.source), item.code)
            total, last, _ = counts.get(key, (0, item.received, ""))
            counts[key] = (total + 1, max(last, item.received), clean(item.topic))
            if item.code in _KEPT_ALL or self._take(hour, item, taken):
                whole.append(item)
        await tally(unit, "quarantine", [(*key, *value) for key, value in counts.items()])
        if whole:
            await _insert(unit, whole)
        # A transaction that is rolled back has kept nothing.
        unit.after_commit(lambda: self._seen.update(taken))

    def _take(self, hour: datetime, item: Refused, taken: Counter[tuple[str, str]]) -> bool:
        if hour != self._hour or len(self._seen) > _SOURCES:
            self._hour = hour
            self._seen.clear()
        key = (item.source, item.code)
        taken[key] += 1
        return self._seen[key] + taken[key] <= self._kept


async def _insert(unit: Unit, items: Sequence[Refused]) -> None:
    await unit.execute(
        text(
            "insert into gateways.quarantine (received, source, topic, code, params, payload,"
            " size, asset, municipality, trade)"
            " select r.received, r.source, r.topic, r.code, cast(r.params as jsonb), r.payload,"
            " r.size, a.id, coalesce(a.municipality, c.municipality, ''),"
            " coalesce(a.trade, c.trade, '')"
            " from unnest(cast(:received as timestamptz[]), cast(:sources as text[]),"
            " cast(:topics as text[]), cast(:codes as text[]), cast(:params as text[]),"
            " cast(:payloads as bytea[]), cast(:sizes as int[]), cast(:assets as int[]))"
            " with ordinality as r(received, source, topic, code, params, payload, size, asset, o)"
            " left join gateways.client c on c.token = r.source"
            " left join twin.asset a on a.id = r.asset order by r.o"
        ),
        {
            "received": [item.received for item in items],
            "sources": [clean(item.source) for item in items],
            "topics": [clean(item.topic) for item in items],
            "codes": [item.code for item in items],
            "params": [msgspec.json.encode(_plain(item.params)).decode() for item in items],
            "payloads": [item.payload[:PAYLOAD_KEPT] for item in items],
            "sizes": [item.size for item in items],
            "assets": [item.asset for item in items],
        },
    )


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as jsonb can hold them: it refuses NUL in a string."""
    return {
        clean(name): clean(value) if isinstance(value, str) else value
        for name, value in params.items()
    }


async def read_quarantine(
    unit: Unit,
    *,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
    source: str | None = None,
    code: str | None = None,
) -> Page[Quarantined]:
    """What was refused, newest first, in the caller's scope."""
    where = [
        column == value
        for column, value in ((_ROW.c.source, source), (_ROW.c.code, code))
        if value is not None
    ]
    query = ListQuery(filter_, sort, cursor, limit)
    return await QUARANTINE.page(unit, query, where=where, bound=f"{source} {code}")


async def _fields(unit: Unit) -> filters.Fields:
    return filters.Fields(
        filters.Text("source", _ROW.c.source),
        filters.Text("code", _ROW.c.code),
        filters.Number("asset", _ROW.c.asset, whole=True),
        filters.Number("size", _ROW.c.size, whole=True),
        filters.Time("received", _ROW.c.received, await unit.zone()),
    )


QUARANTINE = Listing(
    "gateways.quarantine",
    _ROW,
    row=Quarantined,
    select=[c for c in _ROW.c if c.name not in ("municipality", "trade")],
    fields=_fields,
    sorts={name: _ROW.c[name] for name in ("id", "received", "source", "code", "size")},
    default="-id",
    key=_ROW.c.id,
    export=(
        Shown("received", en="Received", fr="Reçu"),
        Shown("source", en="Source", fr="Source"),
        Shown("topic", en="Topic", fr="Sujet"),
        Shown("code", en="Reason", fr="Motif"),
        Shown("params", en="Details", fr="Détails"),
        Shown("size", en="Bytes", fr="Octets"),
        Shown("asset", en="Equipment", fr="Équipement"),
        Shown("payload", en="Message", fr="Message"),
    ),
)
