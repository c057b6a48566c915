"""The journal over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.core.database import Unit
from vigie.core.journal import read
from vigie.core.journal.model import Change, Entry, Parked
from vigie.core.journal.parked import dismiss_parked, page_of_parked, retry_parked
from vigie.core.lists import ListQuery
from vigie.core.web import Limit, Page, get, post


@get("/journal", permission="journal.read")
async def list_journal(
    unit: Unit,
    filter_: str = "",
    act: str | None = None,
    actor: UUID | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[Entry]:
    """The acts in your scope and your own, newest first (`sort=recorded`: oldest first).

    `act` is one act ("control.commanded") or a room's ("control"); each act shows its first 20
    changes, `/journal/{id}/changes` all of them. `filter` knows `act:`, `actor:` (a name),
    `object:` (`twin.asset/17`), `caused_by:` (an act's id: what reactions did because of it),
    `occurred:` and `recorded:` (a day of the city's or an instant with its offset, also compared:
    `recorded:>=2026-11-23`) and words of reasons. `from` and `to` are instants with their offset.
    """
    wanted = read.Filter(
        acts=(act,) if act else (),
        actor=actor,
        since=from_,
        until=to,
        text=filter_,
    )
    return await read.list_entries(unit, wanted, sort=sort, cursor=cursor, limit=limit)


@get("/journal/{entry_id:uuid}", permission="journal.read")
async def read_journal_entry(unit: Unit, entry_id: UUID) -> Entry:
    """One act."""
    return await read.read_entry(unit, entry_id)


@get("/journal/{entry_id:uuid}/changes", permission="journal.read")
async def list_journal_changes(
    unit: Unit, entry_id: UUID, cursor: str | None = None, limit: Limit = 100
) -> Page[Change]:
    """What one act changed, object by object."""
    return await read.read_changes(unit, entry_id, cursor=cursor, limit=limit)


@get("/journal/parked", permission="journal.operate")
async def list_journal_parked(
    unit: Unit,
    reaction: str | None = None,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 1000,
) -> Page[Parked]:
    """Acts that a reaction gave up on, oldest first. `filter` knows `reaction:`, `tries:`,
    `parked:` and words of the error; `sort` takes `reaction`, `position`, `tries` and `parked`."""
    query = ListQuery(filter_, sort, cursor, limit)
    return await page_of_parked(unit, query, reaction)


class Dismissal(msgspec.Struct, forbid_unknown_fields=True):
    """Why an act need not be handled."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


@post(
    "/journal/parked/{reaction:str}/{position:int}/retry", permission="journal.operate", status=202
)
async def retry_journal_parked(unit: Unit, reaction: str, position: int) -> Parked:
    """Have a parked act handled again. The reaction does it soon; the act leaves the list when that
    succeeds, and shows the new error when it does not."""
    return await retry_parked(unit, reaction, position)


@post("/journal/parked/{reaction:str}/{position:int}/dismiss", permission="journal.operate")
async def dismiss_journal_parked(
    unit: Unit, reaction: str, position: int, data: Dismissal
) -> Parked:
    """Take a parked act off the list unhandled, with the reason in the journal."""
    return await dismiss_parked(unit, reaction, position, data.reason)


ROUTES = [
    list_journal,
    read_journal_entry,
    list_journal_changes,
    list_journal_parked,
    retry_journal_parked,
    dismiss_journal_parked,
]
