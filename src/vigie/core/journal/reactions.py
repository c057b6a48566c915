"""One reaction at work: handles the acts that concern it, each once, in order, in one transaction
with the memory of having done so.

A reaction that fails is tried again with a growing pause and shown as degraded; after its last try
the act is parked, listed and shown until someone has it tried again or dismisses it
(core/journal/parked.py). Acts are never skipped silently; other reactions go on meanwhile.

Who does what is decided by the dispatcher (core/journal/dispatcher.py), which looks for work for
all reactions at once.
"""

import traceback
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vigie.core.database import Cause, Unit
from vigie.core.errors import Unavailable
from vigie.core.journal.model import Entry, Reaction
from vigie.core.journal.read import read_entries
from vigie.core.journal.rules import MOST_CHAIN, backoff_s
from vigie.core.logs import logger
from vigie.core.runtime import Runtime

log = logger(__name__)

# How much one transaction does, and for how long: behind a backlog, many acts share a commit.
_ACTS = 100
_WITHIN_S = 0.25
# Positions that one look for a reaction's acts goes through at most.
_SPAN = 5_000

_CLAIM = text(
    "select position, tries, next_try > now() as waits,"
    " (select coalesce(max(position), 0) from journal.position) as newest"
    " from journal.cursor where reaction = :reaction for update skip locked"
)
_NEXT = text(
    """
    select p.position, p.entry
    from journal.position p
    join journal.entry e on e.id = p.entry and e.recorded = p.recorded
    where p.position > :after and p.position <= :last
      and (cast(:acts as text[]) is null or e.act = any(:acts))
    order by p.position
    limit :many
    """
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
_WANTED = text(
    "select position, entry from journal.parked where reaction = :reaction and retry"
    " order by position limit 1 for update skip locked"
)
_UNPARK = text("delete from journal.parked where reaction = :reaction and position = :position")
_PARKED_AGAIN = text(
    "update journal.parked set tries = tries + 1, error = :error, retry = false"
    " where reaction = :reaction and position = :position"
)


class _Failure(msgspec.Struct):
    """Why an act could not be handled; `final`: trying again would not help."""

    error: str
    final: bool = False


async def step(runtime: Runtime, reaction: Reaction) -> bool:
    """Handle the next acts that concern a reaction; True when there may be more to do.

    A failure undoes what the handler wrote for that act and is remembered in its place; after the
    last try the act is parked. An engine that is away is nobody's failure: Unavailable goes up.
    """
    async with _unit(runtime, reaction) as unit:
        claimed = (await unit.execute(_CLAIM, {"reaction": reaction.name})).one_or_none()
        if claimed is None or claimed.waits:
            return False
        after, tries = int(claimed.position), int(claimed.tries)
        last = min(after + _SPAN, int(claimed.newest))
        if last <= after:
            return False
        acts = None if reaction.acts is None else sorted(reaction.acts)
        found = await unit.execute(
            _NEXT, {"after": after, "last": last, "acts": acts, "many": _ACTS}
        )
        rows = found.fetchall()
        reached = int(rows[-1].position) if len(rows) == _ACTS else last
        entries = await read_entries(unit, [row.entry for row in rows])
        until = monotonic() + _WITHIN_S
        for done, row in enumerate(rows):
            position = int(row.position)
            if done and monotonic() > until:
                reached = position - 1
                break
            # An act outside the reaction's scope is not its business.
            if (entry := entries.get(row.entry)) is None:
                continue
            failure = await _attempt(unit, reaction, entry)
            if failure is not None:
                # Tried before when nothing lies between the cursor and this act.
                again = tries + 1 if position == after + 1 else 1
                return await _failed(unit, reaction, again, position, entry.id, failure)
        await unit.execute(_ADVANCE, {"reaction": reaction.name, "position": reached})
        return True


async def step_parked(runtime: Runtime, reaction: Reaction) -> bool:
    """Handle the next parked act that someone wants tried again; True when there was one."""
    async with _unit(runtime, reaction) as unit:
        wanted = (await unit.execute(_WANTED, {"reaction": reaction.name})).one_or_none()
        if wanted is None:
            return False
        key = {"reaction": reaction.name, "position": wanted.position}
        entry = (await read_entries(unit, [wanted.entry])).get(wanted.entry)
        # Whoever asks for another try has seen where the chain led.
        failure = entry and await _attempt(unit, reaction, entry, bounded=False)
        if failure is None:
            await unit.execute(_UNPARK, key)
        else:
            log.warning("reaction_failed_again", **key, error=failure.error)
            await unit.execute(_PARKED_AGAIN, key | {"error": failure.error})
        return True


def _unit(runtime: Runtime, reaction: Reaction) -> Any:
    return runtime.database.unit(
        reaction.principal, reaction.scope, request_id=f"reaction:{reaction.name}"
    )


async def _attempt(
    unit: Unit, reaction: Reaction, entry: Entry, *, bounded: bool = True
) -> _Failure | None:
    if bounded and entry.chain >= MOST_CHAIN:
        return _Failure(
            f"chain_too_long: {entry.chain} reactions, one after the other, led to this act: "
            "two of them probably answer each other",
            final=True,
        )
    try:
        async with unit.attempt():
            unit.cause = Cause(entry.id, entry.chain + 1)
            await reaction.handle(unit, entry)
    except Unavailable:
        raise
    except Exception as error:
        if _engine_is_away(error):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        # Without NUL, which a text column does not take.
        said = f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"
        return _Failure(said.replace("\0", "")[:2000])
    finally:
        unit.cause = None
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
    unit: Unit, reaction: Reaction, tries: int, position: int, entry: UUID, failure: _Failure
) -> bool:
    """Remember a failure: another try later, or the act is parked; True when parked."""
    log.warning(
        "reaction_failed",
        reaction=reaction.name,
        position=position,
        tries=tries,
        error=failure.error,
    )
    named = {"reaction": reaction.name, "tries": tries, "error": failure.error}
    if tries < reaction.tries and not failure.final:
        # Everything before it is done: positions have no gap.
        await unit.execute(_FAILED, named | {"position": position - 1, "pause": backoff_s(tries)})
        return False
    await unit.execute(_PARK, named | {"position": position, "entry": entry})
    await unit.execute(_ADVANCE, {"reaction": reaction.name, "position": position})
    return True
