"""Reads acts back in order and digests them: what the sealer signs and what `verify` compares."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from vigie.core.journal.rules import NO_CHANGES, ChangesDigest, EntryFacts, entry_digest

Connection = psycopg.AsyncConnection[Any]
# Changes read in one go: more would make the server sort on disk.
_CHANGES_AT_ONCE = 50_000

_POSITIONS = (
    "select p.position, p.entry, p.recorded, e.id, e.recorded, e.occurred, e.act, e.actor_kind,"
    " e.actor_id, e.actor_name, e.role, e.request_id, e.params::text, e.personal::text, e.scopes,"
    " e.changes, e.caused_by, e.chain from journal.position p"
    " left join journal.entry e on e.id = p.entry and e.recorded = p.recorded"
    " where p.position between %s and %s order by p.position, p.entry limit %s"
)
_CHANGES = (
    "select entry, ordinal, object_type, object_id, scope, before::text, after::text"
    " from journal.change where entry = any(%s) and recorded between %s and %s"
    " order by entry, ordinal"
)


class Digested:
    """One position: its act's digest, or None when the act is not there."""

    __slots__ = ("changes", "digest", "entry", "facts", "position", "recorded")

    def __init__(self, row: Sequence[Any]) -> None:
        self.position: int = row[0]
        self.entry: UUID = row[1]
        self.recorded = row[2]
        self.facts = None if row[3] is None else EntryFacts(*row[3:])
        self.changes = 0
        self.digest: bytes | None = None


async def positions(connection: Connection, first: int, last: int, limit: int) -> list[Digested]:
    """The positions of a range with their acts, not digested yet."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_POSITIONS, [first, last, limit])
        return [Digested(row) for row in await cursor.fetchall()]


async def digest(connection: Connection, rows: list[Digested]) -> None:
    """Fill in the digests, streaming the changes."""
    batch: list[Digested] = []
    waiting = 0
    for row in rows:
        if row.facts is None:
            continue
        if batch and waiting + row.facts.changes > _CHANGES_AT_ONCE:
            await _digest(connection, batch)
            batch, waiting = [], 0
        batch.append(row)
        waiting += row.facts.changes
    if batch:
        await _digest(connection, batch)


async def _digest(connection: Connection, rows: list[Digested]) -> None:
    of_changes: dict[UUID, tuple[int, bytes]] = {}
    async for entry, counted, value in _changes(connection, rows):
        of_changes[entry] = (counted, value)
    for row in rows:
        assert row.facts is not None
        row.changes, value = of_changes.get(row.entry, (0, NO_CHANGES))
        row.digest = entry_digest(row.position, row.facts, value)


async def _changes(
    connection: Connection, rows: list[Digested]
) -> AsyncIterator[tuple[UUID, int, bytes]]:
    ids = [row.entry for row in rows]
    recorded = [row.recorded for row in rows]
    current: UUID | None = None
    running = ChangesDigest()
    async with connection.cursor(name="journal_changes", row_factory=tuple_row) as cursor:
        cursor.itersize = 2000
        await cursor.execute(_CHANGES, [ids, min(recorded), max(recorded)])
        async for entry, *fields in cursor:
            if entry != current:
                if current is not None:
                    yield current, running.count, running.digest()
                current, running = entry, ChangesDigest()
            running.add(*fields)
    if current is not None:
        yield current, running.count, running.digest()
