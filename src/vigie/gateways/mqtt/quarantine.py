"""What passed the broker and not the validation: kept with its reason, bounded.

Of each source and reason the first hundred of an hour are kept whole, the rest only counted: a
broken gateway fills a table with its first faults, not with all of them.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.paging import Cursor, Page
from vigie.gateways.mqtt.messages import clean
from vigie.gateways.mqtt.model import Quarantined, Refused
from vigie.gateways.mqtt.refusals import tally

KEPT_AN_HOUR = 100
PAYLOAD_KEPT = 4096
_SOURCES = 10_000
_CURSOR = Cursor("quarantine", int)


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
            if self._take(hour, item, taken):
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
    cursor: str | None = None,
    limit: int = 100,
    source: str | None = None,
    code: str | None = None,
) -> Page[Quarantined]:
    """What was refused, newest first, in the caller's scope."""
    after = _CURSOR.decode(cursor)
    rows = (
        await unit.execute(
            text(
                "select id, received, source, topic, code, params, payload, size, asset"
                " from gateways.quarantine"
                " where (cast(:after as bigint) is null or id < :after)"
                " and (cast(:source as text) is null or source = :source)"
                " and (cast(:code as text) is null or code = :code)"
                " order by id desc limit :limit"
            ),
            {
                "after": after[0] if after else None,
                "source": source,
                "code": code,
                "limit": limit + 1,
            },
        )
    ).all()
    items = [
        Quarantined(
            row.id,
            row.received,
            row.source,
            row.topic,
            row.code,
            row.params,
            bytes(row.payload),
            row.size,
            row.asset,
        )
        for row in rows
    ]
    return _CURSOR.page(items, limit, key=lambda item: (item.id,))
