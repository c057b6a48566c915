"""Chains positions into signed blocks, and exports each block's head to a file.

The database holds the chain, the file holds its heads, the key is in neither: an entry, a block or
the whole chain rewritten by SQL no longer fits what was signed and exported.
"""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import text

from vigie.core import clock
from vigie.core.bus import Wakeup
from vigie.core.database import Database, Unit
from vigie.core.errors import VigieError
from vigie.core.journal.digests import digest, positions
from vigie.core.journal.keys import (
    Head,
    Key,
    export,
    head_of,
    last_exported,
    signed_by,
    signing_key,
)
from vigie.core.journal.rules import GENESIS, Header, month_of, run_of_one_month
from vigie.core.journal.sequencer import POSITIONS
from vigie.core.leader import Leadership, lead
from vigie.core.runtime import Runtime

LEADER = "journal.sealer"
MOST = 512
# Acts wait this long for company: a block each second at most, unless it is full.
_GATHER_S = 1.0

_LAST = text("select number, last, digest from journal.block order by number desc limit 1")
_INSERT = text(
    "insert into journal.block"
    " (number, first, last, month, digests, previous, digest, sealed, key, signature)"
    " values (:number, :first, :last, :month, :digests, :previous, :digest, :sealed, :key,"
    " :signature)"
)
_AFTER = text(
    "select number, last, digest, sealed, key, signature from journal.block"
    " where number > :number order by number limit 1000"
)


class ChainBroken(VigieError):
    """The chain no longer fits its exported heads: sealing on would bury the evidence."""

    title = "Journal chain broken"


async def seal(database: Database, leadership: Leadership | None, key: Key) -> Head | None:
    """Seal the next block; its head, or None when everything is sealed.

    Raises Conflict when another process leads, ChainBroken when a position has no act.
    """
    async with database.unit() as unit:
        if leadership is not None:
            await leadership.fence(unit)
        last = (await unit.execute(_LAST)).one_or_none()
        number, end, previous = tuple(last) if last else (0, 0, GENESIS)
        connection = await unit.raw()
        rows = await positions(connection, end + 1, end + MOST, MOST)
        rows = rows[: run_of_one_month(row.recorded for row in rows)]
        if not rows:
            return None
        await digest(connection, rows)
        digests: list[bytes] = []
        for offset, row in enumerate(rows):
            if row.digest is None or row.position != end + 1 + offset:
                raise ChainBroken(
                    "journal_entry_missing",
                    f"Position {end + 1 + offset} has no act: run `vigie journal verify`.",
                    {"position": end + 1 + offset},
                )
            digests.append(row.digest)
        header = Header(
            number + 1,
            rows[0].position,
            rows[-1].position,
            month_of(rows[0].recorded),
            b"".join(digests),
            bytes(previous),
            clock.now(),
            key.id,
        )
        return await _write(unit, header, key)


async def _write(unit: Unit, header: Header, key: Key) -> Head:
    made = header.digest()
    signature = key.sign(made)
    await unit.execute(
        _INSERT,
        {
            "number": header.number,
            "first": header.first,
            "last": header.last,
            "month": header.month,
            "digests": header.digests,
            "previous": header.previous,
            "digest": made,
            "sealed": header.sealed,
            "key": header.key,
            "signature": signature,
        },
    )
    return head_of(header.number, header.last, made, header.sealed, header.key, signature)


async def reconcile(database: Database, root: Path, key: Key) -> int:
    """Export the heads that a crash kept from the file; the number of the last block.

    Raises ChainBroken when the database lacks a block that was exported, or holds another.
    """
    last = await asyncio.to_thread(last_exported, root)
    number = last.block if last else 0
    async with database.unit() as unit:
        if last is not None:
            found = await unit.execute(
                text("select digest from journal.block where number = :n"), {"n": last.block}
            )
            kept = found.scalar_one_or_none()
            if kept is None or bytes(kept).hex() != last.digest:
                raise ChainBroken(
                    "journal_chain_broken",
                    f"Block {last.block} is not the one that was exported: "
                    "run `vigie journal verify`.",
                    {"block": last.block},
                )
        while True:
            rows: list[Any] = list(await unit.execute(_AFTER, {"number": number}))
            if not rows:
                return number
            heads = [
                head_of(r.number, r.last, bytes(r.digest), r.sealed, r.key, bytes(r.signature))
                for r in rows
                if signed_by(key.public, bytes(r.signature), bytes(r.digest))
            ]
            if len(heads) < len(rows):
                raise ChainBroken(
                    "journal_chain_broken",
                    "A block carries a signature that is not ours: run `vigie journal verify`.",
                    {},
                )
            await asyncio.to_thread(export, root, heads)
            number = rows[-1].number


async def run(runtime: Runtime) -> None:
    """The service: waits to lead, then seals what has a position."""
    component = runtime.component("sealer")
    root = runtime.settings.root
    key = await asyncio.to_thread(signing_key, root)
    wakeup = await Wakeup().on(runtime.bus, POSITIONS)
    try:
        async with lead(
            runtime.database,
            LEADER,
            runtime.instance,
            on_standby=lambda: component.set("ok", "standby"),
        ) as leadership:
            while True:
                try:
                    await reconcile(runtime.database, root, key)
                    component.set("ok")
                    await _seal_for_ever(runtime, leadership, key, wakeup)
                except ChainBroken as broken:
                    component.set("down", broken.code, **broken.params)
                    await wakeup.wait(60)
    finally:
        await wakeup.close()


async def _seal_for_ever(
    runtime: Runtime, leadership: Leadership, key: Key, wakeup: Wakeup
) -> None:
    while True:
        head = await seal(runtime.database, leadership, key)
        if head is None:
            await wakeup.wait(5)
            await asyncio.sleep(_GATHER_S)
        else:
            await asyncio.to_thread(export, runtime.settings.root, [head])
