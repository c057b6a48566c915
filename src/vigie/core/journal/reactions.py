"""Runs what reacts to acts: each once, in order, in one transaction with the memory of it.

A reaction that fails is tried again with a growing pause and shown as degraded; after its last try
the act is parked, listed and shown until someone has it tried again. Acts are never skipped
silently; other reactions go on meanwhile.
"""

import traceback
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError

from vigie.core import clock
from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.errors import NotFound, Unavailable
from vigie.core.journal.model import Entry, Parked, Reaction
from vigie.core.journal.read import read_entry
from vigie.core.journal.rules import backoff_s
from vigie.core.journal.sequencer import POSITIONS
from vigie.core.journal.service import record
from vigie.core.logs import logger
from vigie.core.runtime import Runtime

log = logger(__name__)
_AT_ONCE = 500

_REGISTER = text(
    "insert into journal.cursor (reaction, position) values (:reaction,"
    " case when :from_now then (select coalesce(max(position), 0) from journal.position)"
    " else 0 end) on conflict do nothing"
)
_CLAIM = text(
    "select position, tries, next_try > now() as waits from journal.cursor"
    " where reaction = :reaction for update skip locked"
)
_NEXT = text(
    "select p.position, p.entry, e.act from journal.position p"
    " left join journal.entry e on e.id = p.entry and e.recorded = p.recorded"
    " where p.position > :after order by p.position limit :many"
)
_ADVANCE = text(
    "update journal.cursor set position = :position, tries = 0, next_try = null, error = ''"
    " where reaction = :reaction"
)
_FAILED = text(
    "update journal.cursor set position = :position, tries = :tries, error = :error,"
    " next_try = clock_timestamp() + make_interval(secs => :pause) where reaction = :reaction"
)
_PARK = text(
    "insert into journal.parked (reaction, position, entry, tries, error)"
    " values (:reaction, :position, :entry, :tries, :error)"
)
_PARKED = text(
    "select reaction, position, entry, tries, error, parked from journal.parked"
    " where cast(:reaction as text) is null or reaction = :reaction"
    " order by reaction, position limit 1000"
)


async def step(runtime: Runtime, reaction: Reaction) -> bool:
    """Handle the next act that concerns a reaction; True when there may be more to do.

    A failure undoes what the handler wrote and is remembered in its place; after the last try the
    act is parked. An engine that is away is nobody's failure: Unavailable goes up.
    """
    async with runtime.database.unit(request_id=f"reaction:{reaction.name}") as unit:
        claimed = (await unit.execute(_CLAIM, {"reaction": reaction.name})).one_or_none()
        if claimed is None or claimed.waits:
            return False
        after = reached = int(claimed.position)
        rows: Sequence[Any] = (
            await unit.execute(_NEXT, {"after": after, "many": _AT_ONCE})
        ).fetchall()
        for position, entry, act in rows:
            if act is not None and (reaction.acts is None or act in reaction.acts):
                error = await _attempt(unit, reaction, entry)
                if error is not None:
                    tries = claimed.tries + 1 if reached == after else 1
                    return await _failed(unit, reaction, tries, reached, position, entry, error)
                reached = int(position)
                break
            reached = int(position)
        if reached > after:
            await unit.execute(_ADVANCE, {"reaction": reaction.name, "position": reached})
        return reached > after


async def _attempt(unit: Unit, reaction: Reaction, entry: UUID) -> str | None:
    try:
        async with unit.attempt():
            await reaction.handle(unit, await read_entry(unit, entry))
    except (Unavailable, OperationalError, InterfaceError):
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"[:2000]
    return None


async def _failed(
    unit: Unit,
    reaction: Reaction,
    tries: int,
    reached: int,
    position: int,
    entry: UUID,
    error: str,
) -> bool:
    log.warning(
        "reaction_failed", reaction=reaction.name, position=position, tries=tries, error=error
    )
    named = {"reaction": reaction.name, "tries": tries, "error": error}
    if tries < reaction.tries:
        await unit.execute(_FAILED, named | {"position": reached, "pause": backoff_s(tries)})
        return False
    await unit.execute(_PARK, named | {"position": position, "entry": entry})
    await unit.execute(_ADVANCE, {"reaction": reaction.name, "position": position})
    return True


async def run(runtime: Runtime, reaction: Reaction) -> None:
    """The service of one reaction; several processes may run it, one at a time handles an act."""
    component = runtime.component(f"reaction:{reaction.name}")
    wakeup = await Wakeup().on(runtime.bus, POSITIONS)
    try:
        async with runtime.database.unit() as unit:
            await unit.execute(
                _REGISTER, {"reaction": reaction.name, "from_now": reaction.from_now}
            )
        while True:
            while await step(runtime, reaction):
                pass
            async with runtime.database.unit() as unit:
                status = await _status(unit, reaction.name)
            if status.pop("bad"):
                component.set("degraded", "reaction_failing", **status)
            else:
                component.set("ok", "", **status)
            await wakeup.wait(min(0.5 if status["tries"] else 2.0, 2.0))
    finally:
        await wakeup.close()


async def _status(unit: Unit, reaction: str) -> dict[str, Any]:
    row = (
        await unit.execute(
            text(
                "select tries, error,"
                " (select coalesce(max(position), 0) from journal.position) - position as lag,"
                " (select count(*) from journal.parked p where p.reaction = c.reaction) as parked"
                " from journal.cursor c where reaction = :reaction"
            ),
            {"reaction": reaction},
        )
    ).one()
    return {
        "bad": bool(row.tries or row.parked),
        "tries": row.tries,
        "parked": row.parked,
        "lag": row.lag,
        "error": row.error[:200],
    }


async def list_parked(unit: Unit, reaction: str | None = None) -> list[Parked]:
    """Acts that a reaction gave up on, oldest first."""
    rows = await unit.execute(_PARKED, {"reaction": reaction})
    return [Parked(*row) for row in rows]


async def retry_parked(unit: Unit, reaction: Reaction, position: int) -> Entry:
    """Handle a parked act again, now; it leaves the list when that succeeds, in one transaction.

    Raises NotFound when it is not parked, and whatever the handler raises.
    """
    row = (
        await unit.execute(
            text(
                "delete from journal.parked where reaction = :reaction and position = :position"
                " returning entry"
            ),
            {"reaction": reaction.name, "position": position},
        )
    ).one_or_none()
    if row is None:
        raise NotFound("parked_not_found", f"No act at {position} is parked for {reaction.name}.")
    entry = await read_entry(unit, row.entry)
    await reaction.handle(unit, entry)
    await record(
        unit,
        "journal.reaction_retried",
        params={"reaction": reaction.name, "position": position, "at": clock.rfc3339(clock.now())},
    )
    return entry
