"""Of the role `watch`: days of events opened ahead and dropped whole; what is to be kept for less
is deleted before, personal parts among them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text

from vigie.core import clock
from vigie.core.database import Database
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.twin import days
from vigie.twin.events import declared

log = logger(__name__)
EVERY_S = 3600.0
RETRY_S = 60.0
REFUSED_DAYS = 30
_BATCH = 10_000

_EXPIRED = text(
    """
    delete from twin.event_personal p
    using (
     select at, key from twin.event_personal where expires <= :now limit :batch
    ) old
    where p.at = old.at and p.key = old.key
    """
)
_SHORTER = text(
    """
    delete from twin.event e
    using (
     select at, key from twin.event
     where kind = :kind and name = :name and at < :before
     limit :batch
    ) old
    where e.at = old.at and e.key = old.key
    """
)


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The days of events."""

    async def events() -> None:
        component = runtime.component("events")
        while True:
            now = clock.now()
            held = await sweep(runtime.database, now, runtime.settings.event_days)
            component.set("ok")
            await asyncio.sleep(RETRY_S if held else EVERY_S)

    return {"events": events}


async def sweep(database: Database, now: datetime, keep_days: int) -> bool:
    """Open days, delete what is over; True when a reader held something up."""
    today = days.utc_day(now)
    held = False
    kept: dict[days.Part, int] = {
        "event": keep_days, "event_personal": keep_days, "event_refused": REFUSED_DAYS,
    }  # fmt: skip
    for part, keep in kept.items():
        await days.open_ahead(database, part, today)
        dropped = await days.drop_before(database, part, today - timedelta(days=keep))
        held = held or dropped is None
    expired = await _delete(database, _EXPIRED, {"now": now})
    for kind, event in declared.every():
        if event.keep_days < keep_days:
            before = now - timedelta(days=event.keep_days)
            values = {"kind": kind, "name": event.name, "before": before}
            expired += await _delete(database, _SHORTER, values)
    if expired:
        log.info("events_expired", events=expired)
    return held


async def _delete(database: Database, statement: TextClause, values: dict[str, Any]) -> int:
    """Delete in transactions that are short; how many rows."""
    deleted = 0
    while True:
        async with database.unit() as unit:
            done = await unit.execute(statement, values | {"batch": _BATCH})
        deleted += done.rowcount
        if done.rowcount < _BATCH:
            return deleted
