"""Checks the journal against what was signed and exported, and names what does not fit.

One pass in order of position, a block at a time: memory does not grow with the journal. What it
can tell, and by which code:

    blocks  key_missing        nothing to check signatures with
            block_missing      a number is skipped
            block_dropped      exported, and not there any more
            block_altered      its fields are not its digest
            chain_broken       it does not follow the one before
            signature_wrong    not signed by our key
            head_differs       not the block that was exported
    acts    entry_edited       it or its changes differ from what was sealed
            entry_missing      its position has no act
            entry_added        an act no seal knows
            position_missing   a position is gone
            change_added       a change of no act
            month_missing      a block's acts are gone without an act of retention
    people  personal_edited    a value is not the one its act speaks of
            personal_added     a value no act speaks of
            personal_missing   gone without an act of erasure
"""

import base64
import binascii
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.rows import tuple_row

from vigie.core.database import Database
from vigie.core.journal.digests import Connection, Digested, digest, positions
from vigie.core.journal.keys import Head, exported, fingerprint, public_key, signed_by
from vigie.core.journal.model import Finding, Report
from vigie.core.journal.personal import ERASED
from vigie.core.journal.retention import RETIRED
from vigie.core.journal.rules import GENESIS, Header, personal_digest

_MOST_FINDINGS = 1000
_BLOCKS = (
    "select number, first, last, month, digests, previous, sealed, key, digest, signature"
    " from journal.block order by number"
)
_PERSONAL = "select entry, field, value, salt from journal.personal where entry = any(%s)"
_ERASURES = (
    "select c.object_id, c.after->'erased' from journal.change c"
    " join journal.entry e on e.id = c.entry and e.recorded = c.recorded"
    " where c.object_type = 'journal.entry' and c.object_id = any(%s) and e.act = %s"
)
_RETIRED = "select params->>'month' from journal.entry where act = %s order by 1"
_UNKNOWN_ENTRIES = (
    "select e.id from journal.entry e where not exists (select from journal.position p"
    " where p.entry = e.id and p.recorded = e.recorded)"
    " and not exists (select from journal.pending q where q.entry = e.id) limit 100"
)
_UNKNOWN_CHANGES = (
    "select distinct c.entry from journal.change c where not exists"
    " (select from journal.entry e where e.id = c.entry and e.recorded = c.recorded) limit 100"
)
_UNKNOWN_PERSONAL = (
    "select distinct c.entry from journal.personal c where not exists"
    " (select from journal.entry e where e.id = c.entry and e.recorded = c.recorded) limit 100"
)


async def verify(database: Database, root: Path) -> Report:
    """The whole journal against its seals, on one snapshot; `root` holds key and heads."""
    connection = await database.dedicated()
    try:
        await connection.set_autocommit(False)
        await connection.execute("set transaction isolation level repeatable read, read only")
        return await _Verification(connection, root).run()
    finally:
        await connection.close()


class _Verification:
    def __init__(self, connection: Connection, root: Path) -> None:
        self.connection = connection
        self.report = Report()
        # Before the snapshot: a block sealed while we look is in neither, not in the file alone.
        self._heads = _Heads(exported(root))
        self._key = public_key(root)
        self._retired: set[date] = set()

    async def run(self) -> Report:
        await self._read_retired()
        previous, number, last = GENESIS, 0, 0
        async for header, stored, signature in self._blocks():
            self._check_order(header, number, last, previous)
            self._check_head(header, stored, signature)
            await self._check_entries(header)
            self.report.blocks += 1
            previous, number, last = stored, header.number, header.last
        for head in self._heads.rest():
            self._found("block_dropped", block=head.block, position=head.last)
            last = max(last, head.last)
        if self._key is None and number:
            self._found("key_missing", detail="journal-key.pem is not beside the heads")
        await self._check_tail(last)
        await self._check_strays()
        self.report.retired = sorted(self._retired)
        return self.report

    async def _blocks(self) -> AsyncIterator[tuple[Header, bytes, bytes]]:
        async with self.connection.cursor(name="journal_blocks", row_factory=tuple_row) as cursor:
            cursor.itersize = 50
            await cursor.execute(_BLOCKS)
            async for row in cursor:
                yield Header(*row[:8]), bytes(row[8]), bytes(row[9])

    def _check_order(self, header: Header, number: int, last: int, previous: bytes) -> None:
        for missing in range(number + 1, min(header.number, number + 100)):
            self._found("block_missing", block=missing)
        if header.number == number + 1 and (
            header.first != last + 1 or header.previous != previous
        ):
            self._found("chain_broken", block=header.number)

    def _check_head(self, header: Header, stored: bytes, signature: bytes) -> None:
        whole = len(header.digests) == 32 * (header.last - header.first + 1)
        if header.digest() != stored or not whole:
            self._found("block_altered", block=header.number)
        if self._key is not None and not _signed(self._key, header.key, signature, stored):
            self._found("signature_wrong", block=header.number)
        for head in self._heads.up_to(header.number):
            if head.block < header.number:
                self._found("block_dropped", block=head.block, position=head.last)
            elif head.digest != stored.hex():
                self._found(
                    "head_differs",
                    block=header.number,
                    detail=f"positions {header.first} to {header.last}",
                )
            elif self._key is not None and not _signed(
                self._key, head.key, _unbase64(head.signature), stored
            ):
                self._found("signature_wrong", block=header.number, detail="exported head")

    async def _check_entries(self, header: Header) -> None:
        size = header.last - header.first + 1
        rows = await positions(self.connection, header.first, header.last, size + 100)
        if not rows and header.month in self._retired:
            return
        if not rows:
            self._found(
                "month_missing" if size > 1 else "position_missing",
                position=header.first,
                block=header.number,
                detail=f"positions {header.first} to {header.last}",
            )
            return
        await digest(self.connection, rows)
        expected = header.first
        for row in rows:
            if row.position < expected:
                self._found("entry_added", row.position, row.entry, header.number)
                continue
            for missing in range(expected, row.position):
                self._found("position_missing", missing, None, header.number)
            expected = row.position + 1
            if row.facts is None:
                await self._name_missing(row, header.number)
            elif row.digest != header.of(row.position):
                self._found("entry_edited", row.position, row.entry, header.number)
            self.report.sealed += 1
        for missing in range(expected, header.last + 1):
            self._found("position_missing", missing, None, header.number)
        await self._check_personal(rows)
        self._count(rows)

    async def _name_missing(self, row: Digested, block: int | None) -> None:
        """Gone, or moved to another time?"""
        cursor = await self.connection.execute(
            "select from journal.entry where id = %s", [row.entry]
        )
        code = "entry_edited" if await cursor.fetchone() is not None else "entry_missing"
        self._found(code, row.position, row.entry, block)

    async def _check_tail(self, last: int) -> None:
        """What has a position and no seal yet: nothing may be missing between."""
        expected = last + 1
        while rows := await positions(self.connection, expected, 2**62, 512):
            await digest(self.connection, rows)
            for row in rows:
                for missing in range(expected, min(row.position, expected + 100)):
                    self._found("position_missing", missing)
                if row.position < expected:
                    self._found("entry_added", row.position, row.entry)
                expected = row.position + 1
                if row.facts is None:
                    await self._name_missing(row, None)
                elif row.changes != row.facts.changes:
                    self._found("entry_edited", row.position, row.entry)
            await self._check_personal(rows)
            self._count(rows)

    async def _check_personal(self, rows: list[Digested]) -> None:
        expected: dict[UUID, dict[str, str]] = {
            row.entry: msgspec.json.decode(row.facts.personal, type=dict[str, str])
            for row in rows
            if row.facts is not None and row.facts.personal != "{}"
        }
        found: set[tuple[UUID, str]] = set()
        cursor = await self.connection.execute(_PERSONAL, [[row.entry for row in rows]])
        async for entry, field, value, salt in cursor:
            sealed = expected.get(entry, {}).get(field)
            if sealed is None:
                self._found("personal_added", entry=entry, detail=field)
            elif personal_digest(bytes(salt), field, value) != sealed:
                self._found("personal_edited", entry=entry, detail=field)
            found.add((entry, field))
        gone = [
            (entry, field)
            for entry, fields in expected.items()
            for field in fields
            if (entry, field) not in found
        ]
        if gone:
            erased = await self._erasures([str(entry) for entry, _ in gone])
            for entry, field in gone:
                if (str(entry), field) in erased:
                    self.report.erased += 1
                else:
                    self._found("personal_missing", entry=entry, detail=field)

    async def _erasures(self, entries: list[str]) -> set[tuple[str, str]]:
        cursor = await self.connection.execute(_ERASURES, [entries, ERASED])
        return {(entry, field) async for entry, fields in cursor for field in fields or ()}

    async def _check_strays(self) -> None:
        strays: dict[str, LiteralString] = {
            "entry_added": _UNKNOWN_ENTRIES,
            "change_added": _UNKNOWN_CHANGES,
            "personal_added": _UNKNOWN_PERSONAL,
        }
        for code, statement in strays.items():
            cursor = await self.connection.execute(statement)
            async for (entry,) in cursor:
                self._found(code, entry=entry)

    async def _read_retired(self) -> None:
        cursor = await self.connection.execute(_RETIRED, [RETIRED])
        self._retired = {date.fromisoformat(month) async for (month,) in cursor}

    def _count(self, rows: list[Digested]) -> None:
        self.report.entries += sum(row.facts is not None for row in rows)
        self.report.changes += sum(row.changes for row in rows)

    def _found(
        self,
        code: str,
        position: int | None = None,
        entry: UUID | None = None,
        block: int | None = None,
        detail: str = "",
    ) -> None:
        if len(self.report.findings) >= _MOST_FINDINGS:
            self.report.truncated = True
            return
        self.report.findings.append(Finding(code, position, entry, block, detail))


class _Heads:
    """The exported heads, read along with the blocks."""

    def __init__(self, heads: Iterator[Head]) -> None:
        self._heads = heads
        self._next: Head | None = next(heads, None)

    def up_to(self, block: int) -> Iterator[Head]:
        while self._next is not None and self._next.block <= block:
            yield self._next
            self._next = next(self._heads, None)

    def rest(self) -> Iterator[Head]:
        while self._next is not None:
            yield self._next
            self._next = next(self._heads, None)


def _signed(key: Ed25519PublicKey, named: str, signature: bytes, digest: bytes) -> bool:
    return named == fingerprint(key) and signed_by(key, signature, digest)


def _unbase64(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return b""
