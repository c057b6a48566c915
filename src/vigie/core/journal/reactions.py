"""Runs what reacts to acts: each once, in order, in one transaction with the memory of it.

A reaction that fails is tried again with a growing pause and shown as degraded; after its last try
the act is parked, listed and shown until someone has it tried again (`retry_parked`, done by the
reaction's own runner) or dismisses it. Acts are never skipped silently; other reactions go on
meanwhile.

A reaction that the program does not declare any more (renamed, removed) is retired when role watch
starts: its cursor stays, and retention no longer waits for it. Declared again, it goes on from
there.
"""

import traceback
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.errors import Conflict, NotFound, Unavailable
from vigie.core.journal.model import Parked, Reaction
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
    " else 0 end) on conflict (reaction) do update set retired = null"
)
_RETIRE = text(
    "update journal.cursor set retired = now()"
    " where retired is null and not reaction = any(:declared) returning reaction, position"
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
    "update journal.cursor set position = :position, tries = 0, next_try = null, error = '',"
    " retired = null where reaction = :reaction"
)
_FAILED = text(
    "update journal.cursor set position = :position, tries = :tries, error = :error,"
    " next_try = clock_timestamp() + make_interval(secs => :pause) where reaction = :reaction"
)
_PARK = text(
    "insert into journal.parked (reaction, position, entry, tries, error)"
    " values (:reaction, :position, :entry, :tries, :error)"
)
_COLUMNS = "p.reaction, p.position, p.entry, p.tries, p.error, p.parked, p.retry"
# Those whose act is in the scope of the unit of work.
_SEEN = (
    f"select {_COLUMNS} from journal.parked p left join journal.entry e on e.id = p.entry"  # noqa: S608
    " where journal.in_scope(coalesce(e.scopes, '{}'))"
)
_PARKED = text(
    f"{_SEEN} and (cast(:reaction as text) is null or p.reaction = :reaction)"
    " order by p.reaction, p.position limit 1000"
)
_ONE_PARKED = text(f"{_SEEN} and p.reaction = :reaction and p.position = :position for update of p")
_WANTED = text(
    "select position, entry from journal.parked where reaction = :reaction and retry"
    " order by position limit 1 for update skip locked"
)
_ASK = text(
    "update journal.parked set retry = true where reaction = :reaction and position = :position"
)
_UNPARK = text("delete from journal.parked where reaction = :reaction and position = :position")
_PARKED_AGAIN = text(
    "update journal.parked set tries = tries + 1, error = :error, retry = false"
    " where reaction = :reaction and position = :position"
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


async def step_parked(runtime: Runtime, reaction: Reaction) -> bool:
    """Handle the next parked act that someone wants tried again; True when there was one."""
    async with runtime.database.unit(request_id=f"reaction:{reaction.name}") as unit:
        wanted = (await unit.execute(_WANTED, {"reaction": reaction.name})).one_or_none()
        if wanted is None:
            return False
        key = {"reaction": reaction.name, "position": wanted.position}
        error = await _attempt(unit, reaction, wanted.entry)
        if error is None:
            await unit.execute(_UNPARK, key)
        else:
            log.warning("reaction_failed_again", **key, error=error)
            await unit.execute(_PARKED_AGAIN, key | {"error": error})
        return True


async def _attempt(unit: Unit, reaction: Reaction, entry: UUID) -> str | None:
    try:
        async with unit.attempt():
            await reaction.handle(unit, await read_entry(unit, entry))
    except Unavailable:
        raise
    except Exception as error:
        if _engine_is_away(error):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"[:2000]
    return None


def _engine_is_away(error: Exception) -> bool:
    """True for a lost connection or a server in need. A deadlock, a lock or a statement that took
    too long is the handler's: the server goes on, and it would be tried for ever."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    # Without a state the driver lost the connection; 08 connection, 53 resources (disk, memory),
    # 57P shutdown, 58 the server's own files.
    return (cause.sqlstate or "08").startswith(("08", "53", "57P", "58"))


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
            while await step(runtime, reaction) or await step_parked(runtime, reaction):
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


async def retire_undeclared(unit: Unit, declared: Iterable[str]) -> list[str]:
    """Mark the cursors of reactions that this program does not declare; those newly marked."""
    rows = (await unit.execute(_RETIRE, {"declared": sorted(declared)})).all()
    for row in rows:
        log.warning("reaction_retired", reaction=row.reaction, position=row.position)
    return sorted(row.reaction for row in rows)


async def list_parked(unit: Unit, reaction: str | None = None) -> list[Parked]:
    """Acts in scope that a reaction gave up on, oldest first."""
    rows = await unit.execute(_PARKED, {"reaction": reaction})
    return [Parked(*row) for row in rows]


async def retry_parked(unit: Unit, reaction: str, position: int) -> Parked:
    """Have a parked act handled again by the reaction's runner; it leaves the list when that
    succeeds, else it shows the new error.

    Raises NotFound when it is not parked, Conflict when nothing runs that reaction any more.
    """
    parked = await _one_parked(unit, reaction, position)
    cursor = await unit.execute(
        text("select 1 from journal.cursor where reaction = :reaction and retired is null"),
        {"reaction": reaction},
    )
    if cursor.first() is None:
        raise Conflict(
            "reaction_retired",
            f"No program runs {reaction} any more: its acts can only be dismissed.",
            {"reaction": reaction},
        )
    await unit.execute(_ASK, {"reaction": reaction, "position": position})
    await record(
        unit,
        "journal.reaction_retried",
        params={"reaction": reaction, "position": position, "entry": parked.entry},
    )
    unit.wake("positions")
    return msgspec.structs.replace(parked, retry=True)


async def dismiss_parked(unit: Unit, reaction: str, position: int, reason: str) -> Parked:
    """Take an act off the list unhandled: someone decided that it need not happen.

    Raises NotFound when it is not parked.
    """
    parked = await _one_parked(unit, reaction, position)
    await unit.execute(_UNPARK, {"reaction": reaction, "position": position})
    await record(
        unit,
        "journal.reaction_dismissed",
        params={
            "reaction": reaction,
            "position": position,
            "entry": parked.entry,
            "error": parked.error,
        },
        reason=reason,
    )
    return parked


async def _one_parked(unit: Unit, reaction: str, position: int) -> Parked:
    key = {"reaction": reaction, "position": position}
    row = (await unit.execute(_ONE_PARKED, key)).one_or_none()
    if row is None:
        raise NotFound("parked_not_found", f"No act at {position} is parked for {reaction}.", key)
    return Parked(*row)
