"""Gives each committed act its position: 1, 2, 3 …, no gap, in the order they became visible.

A reader that follows `recorded` or an id handed out at insert loses whoever commits late. Here an
act queues itself in `pending` within its own transaction; the one sequencer sees only committed
rows, so a late committer just gets a later position.
"""

from time import monotonic

from sqlalchemy import text

from vigie.core.bus import Wakeup
from vigie.core.database import Database
from vigie.core.leader import Leadership, lead
from vigie.core.runtime import Runtime

LEADER = "journal.sequencer"
POSITIONS = "wake.positions"

_AT_ONCE = 2000
_ASSIGN = text(
    "with taken as (delete from journal.pending where entry in"
    " (select entry from journal.pending order by recorded, entry limit :many)"
    " returning entry, recorded)"
    " insert into journal.position (position, entry, recorded)"
    " select greatest((select coalesce(max(position), 0) from journal.position),"
    " (select coalesce(max(last), 0) from journal.block))"
    " + row_number() over (order by recorded, entry), entry, recorded from taken"
)
_MONTHS = text("select journal.ensure_months((now() at time zone 'utc')::date, 6)")


async def assign(database: Database, leadership: Leadership) -> int:
    """Give positions to what is pending; how many. Raises Conflict when another process leads."""
    async with database.unit() as unit:
        await leadership.fence(unit)
        return (await unit.execute(_ASSIGN, {"many": _AT_ONCE})).rowcount


async def sequence(runtime: Runtime) -> None:
    """The service: waits to lead, then assigns on every wake-up, or twice a second without."""
    component = runtime.component("sequencer")
    wakeup = await Wakeup().on(runtime.bus, "wake.journal")
    months_due = 0.0
    try:
        async with lead(
            runtime.database,
            LEADER,
            runtime.instance,
            on_standby=lambda: component.set("ok", "standby"),
        ) as leadership:
            component.set("ok")
            while True:
                if monotonic() >= months_due:
                    async with runtime.database.unit() as unit:
                        await unit.execute(_MONTHS)
                    months_due = monotonic() + 3600
                if await assign(runtime.database, leadership):
                    await runtime.bus.publish(POSITIONS)
                else:
                    await wakeup.wait(0.5)
    finally:
        await wakeup.close()
