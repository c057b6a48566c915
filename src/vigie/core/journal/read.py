"""Reading acts: the city's timeline, one act, one object's life.

A person sees the acts that touch their scope and their own; within an act, the changes in scope,
and no total that counts others.
Whoever asks for one object's acts must have been shown that object already.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    column,
    func,
    literal_column,
    or_,
    table,
    text,
)

from vigie.core.database import Unit
from vigie.core.errors import NotFound
from vigie.core.journal.filtering import ENTRY, about, fields
from vigie.core.journal.model import Actor, Change, Entry
from vigie.core.journal.rules import Sight, erased_fields, sight
from vigie.core.journal.service import ACTOR, REASON
from vigie.core.lists import Listing, ListQuery, Sort
from vigie.core.paging import Cursor, Page

FIRST_CHANGES = 20
_CHANGES_AT_ONCE = 1000

_COLUMNS = (
    "e.id, p.position, e.act, e.actor_id, e.actor_kind, e.actor_name, e.role, e.occurred,"
    " e.recorded, e.request_id, e.params, e.personal, e.changes, e.scopes, e.tally,"
    " e.caused_by, e.chain"
)
_FROM = (
    " from journal.entry e"
    " left join journal.position p on p.entry = e.id and p.recorded = e.recorded"
)
_POSITION = table(
    "position", column("position"), column("entry"), column("recorded"), schema="journal"
).alias("p")
_PLACED = (_POSITION.c.entry == ENTRY.c.id) & (_POSITION.c.recorded == ENTRY.c.recorded)
# The planner sees the whole scope as one constant; `or` keeps a person's own acts in sight.
_VISIBLE = "(journal.in_scope(e.scopes) or e.actor_id = :me)"
_CHANGE = "entry, object_type, object_id, before, after, scope"

CHANGES = Cursor("journal.changes", int)
OBJECT = Cursor("journal.object", datetime, UUID)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts; `acts` are whole ("control.commanded") or a room's ("control"), `text` is of the
    filter language."""

    acts: tuple[str, ...] = ()
    actor: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


async def list_entries(
    unit: Unit,
    wanted: Filter,
    *,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Entry]:
    """The acts in scope, newest first. Raises Invalid for a filter or cursor that is none."""
    demands: list[ColumnElement[bool]] = [_visible(unit)]
    if wanted.acts:
        demands.append(about(list(wanted.acts)))
    if wanted.actor:
        demands.append(literal_column("e.actor_id") == wanted.actor)
    if wanted.since:
        demands.append(ENTRY.c.recorded >= wanted.since)
    if wanted.until:
        demands.append(ENTRY.c.recorded < wanted.until)
    bound = f"{wanted.acts} {wanted.actor} {wanted.since} {wanted.until}"
    query = ListQuery(wanted.text, sort, cursor, limit)
    return await _entries().page(unit, query, where=demands, bound=bound)


@cache
def _entries() -> Listing[Entry]:
    return Listing(
        "journal.entries",
        ENTRY.outerjoin(_POSITION, _PLACED),
        select=[literal_column(_COLUMNS)],
        compose=_complete,
        fields=fields,
        # Only orders that an index serves: the journal has every act there ever was.
        sorts={"recorded": Sort(ENTRY.c.recorded, nullable=False)},
        default="-recorded",
        key=ENTRY.c.id,
        count_to=0,
    )


async def list_object(
    unit: Unit, object_type: str, object_id: str, *, cursor: str | None = None, limit: int = 100
) -> Page[Entry]:
    """The acts that changed one object, newest first, each with the change of that object only.

    The caller has checked that the object is in sight.
    """
    after = OBJECT.decode(cursor)
    rows = (
        await unit.execute(
            text(
                f"select {_COLUMNS}, c.before, c.after, c.scope"  # noqa: S608
                " from (select entry, recorded, before, after, scope from journal.change"
                "   where object_type = :type and object_id = :object"
                # Of an object in sight, an act that also tells of a closed compartment.
                "   and (scope not like '%#%'"
                "     or journal.in_scope(string_to_array(scope, ' ')))"
                + ("   and (recorded, entry) < (:recorded, :id)" if after else "")
                + "   order by recorded desc, entry desc limit :limit) c"
                " join journal.entry e on e.id = c.entry and e.recorded = c.recorded"
                " left join journal.position p on p.entry = e.id and p.recorded = e.recorded"
                " order by e.recorded desc, e.id desc"
            ),
            {
                "type": object_type,
                "object": object_id,
                "limit": limit + 1,
                "recorded": after[0] if after else None,
                "id": after[1] if after else None,
            },
        )
    ).fetchall()
    kept = await _personal(unit, [row.id for row in rows])
    sights = await _sights(unit, rows)
    causes = await _causes(unit, rows)
    entries = [
        _entry(
            row,
            sights[row.id],
            kept.get(row.id, {}),
            [Change(object_type, object_id, row.before, row.after, row.scope)],
            causes,
        )
        for row in rows
    ]
    return OBJECT.page(entries, limit, key=lambda entry: (entry.recorded, entry.id))


async def read_entry(unit: Unit, entry: UUID) -> Entry:
    """One act. Raises NotFound when it is not, or not in scope."""
    entries = await read_entries(unit, [entry])
    if not entries:
        raise NotFound("entry_not_found", "No such act in the journal.", {"entry": str(entry)})
    return entries[entry]


async def read_entries(unit: Unit, entries: Sequence[UUID]) -> dict[UUID, Entry]:
    """Some acts by id: those in scope."""
    rows = await unit.execute(
        text(f"select {_COLUMNS}{_FROM} where e.id = any(:ids) and {_VISIBLE}"),
        {"ids": list(entries), "me": unit.principal.id},
    )
    return {entry.id: entry for entry in await _complete(unit, rows.fetchall())}


async def read_changes(
    unit: Unit, entry: UUID, *, cursor: str | None = None, limit: int = 100
) -> Page[Change]:
    """What an act changed, in its order, as far as it is in scope. Raises NotFound."""
    whole = await read_entry(unit, entry)
    after = CHANGES.decode(cursor)
    rows = await _changes_after(unit, whole, after[0] if after else -1, limit + 1)
    page = CHANGES.page(rows, limit, key=lambda row: (row.ordinal,))
    items = [_change(row) for row in page.items]
    return Page(items, page.next, whole.changes_count)


async def changes_of(unit: Unit, entry: Entry) -> AsyncIterator[Change]:
    """Every change of an act, in its order, as far as it is in scope: a thousand at a time, so
    that a handler may go through those of a whole city."""
    after = -1
    while rows := await _changes_after(unit, entry, after, _CHANGES_AT_ONCE):
        for row in rows:
            yield _change(row)
        if len(rows) < _CHANGES_AT_ONCE:
            return
        after = rows[-1].ordinal


async def _changes_after(unit: Unit, entry: Entry, after: int, limit: int) -> Sequence[Any]:
    found = await unit.execute(
        text(
            f"select {_CHANGE}, ordinal from journal.change c"  # noqa: S608
            " where entry = :id and recorded = :recorded and ordinal > :after"
            " and (:own or journal.in_scope(string_to_array(scope, ' ')))"
            " order by ordinal limit :limit"
        ),
        {
            "id": entry.id,
            "recorded": entry.recorded,
            "after": after,
            "own": _own(unit, entry.actor.id),
            "limit": limit,
        },
    )
    return found.fetchall()


async def who_and_why(
    unit: Unit, entries: Sequence[UUID]
) -> dict[UUID, tuple[str | None, str | None]]:
    """Name of the actor and reason of some acts; None where erased or never given.

    For rooms that show objects born of an act, to people who may see those objects.
    """
    kept = await _personal(unit, list(entries))
    rows = await unit.execute(
        text("select id, actor_name from journal.entry where id = any(:ids)"),
        {"ids": list(entries)},
    )
    told: dict[UUID, tuple[str | None, str | None]] = {}
    for row in rows:
        of_entry = kept.get(row.id, {})
        name = of_entry.get(ACTOR) or row.actor_name or None
        told[row.id] = (name, of_entry.get(REASON))
    return told


def _visible(unit: Unit) -> ColumnElement[bool]:
    own = literal_column("e.actor_id") == unit.principal.id
    return or_(func.journal.in_scope(literal_column("e.scopes")), own)


def _own(unit: Unit, actor: UUID | None) -> bool:
    return actor is not None and actor == unit.principal.id


async def _complete(unit: Unit, rows: Sequence[Any]) -> list[Entry]:
    ids = [row.id for row in rows]
    kept = await _personal(unit, ids)
    changes: dict[UUID, list[Change]] = {}
    with_changes = [row for row in rows if row.changes]
    if with_changes:
        found = await unit.execute(
            text(
                f"select {_CHANGE} from unnest(cast(:ids as uuid[]),"  # noqa: S608
                " cast(:times as timestamptz[]), cast(:own as boolean[]))"
                " as e (id, at, own), lateral (select * from journal.change c"
                " where c.entry = e.id and c.recorded = e.at"
                " and (e.own or journal.in_scope(string_to_array(c.scope, ' '))) order by ordinal"
                " limit :first) c order by entry, ordinal"
            ),
            {
                "ids": [row.id for row in with_changes],
                "times": [row.recorded for row in with_changes],
                "own": [_own(unit, row.actor_id) for row in with_changes],
                "first": FIRST_CHANGES,
            },
        )
        for row in found:
            changes.setdefault(row.entry, []).append(_change(row))
    sights = await _sights(unit, rows)
    causes = await _causes(unit, rows)
    return [
        _entry(row, sights[row.id], kept.get(row.id, {}), changes.get(row.id, []), causes)
        for row in rows
    ]


async def _causes(unit: Unit, rows: Sequence[Any]) -> set[UUID]:
    """The causes of acts that the caller may see: what is outside their scope stays unnamed."""
    causes = {row.caused_by for row in rows if row.caused_by is not None}
    if not causes:
        return causes
    found = await unit.execute(
        text(f"select e.id from journal.entry e where e.id = any(:ids) and {_VISIBLE}"),  # noqa: S608
        {"ids": list(causes), "me": unit.principal.id},
    )
    return set(found.scalars())


async def _sights(unit: Unit, rows: Sequence[Any]) -> dict[UUID, Sight]:
    """How much of each act the caller sees: all of their own."""
    if unit.scope.everything and not any("#" in key for row in rows for key in row.scopes):
        return {row.id: Sight(row.changes, True) for row in rows}
    counted = await _tallies(unit, [row for row in rows if row.changes and row.tally is None])
    return {
        row.id: Sight(row.changes, True)
        if _own(unit, row.actor_id)
        else sight(unit.scope, row.scopes, row.tally or counted.get(row.id, {}))
        for row in rows
    }


async def _tallies(unit: Unit, rows: Sequence[Any]) -> dict[UUID, dict[str, int]]:
    """Changes by scope of acts written before that was kept."""
    tallies: dict[UUID, dict[str, int]] = {}
    if rows:
        found = await unit.execute(
            text(
                "select c.entry, c.scope, count(*) as n from journal.change c"
                " join unnest(cast(:ids as uuid[]), cast(:times as timestamptz[])) as e (id, at)"
                " on c.entry = e.id and c.recorded = e.at group by c.entry, c.scope"
            ),
            {"ids": [row.id for row in rows], "times": [row.recorded for row in rows]},
        )
        for row in found:
            tallies.setdefault(row.entry, {})[row.scope] = row.n
    return tallies


async def _personal(unit: Unit, ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    kept: dict[UUID, dict[str, str]] = {}
    if ids:
        rows = await unit.execute(
            text("select entry, field, value from journal.personal where entry = any(:ids)"),
            {"ids": ids},
        )
        for row in rows:
            kept.setdefault(row.entry, {})[row.field] = row.value
    return kept


def _change(row: Any) -> Change:
    return Change(row.object_type, row.object_id, row.before, row.after, row.scope)


def _entry(
    row: Any, seen: Sight, kept: dict[str, str], changes: list[Change], causes: set[UUID]
) -> Entry:
    name = kept.get(ACTOR) or row.actor_name or None
    return Entry(
        row.id,
        row.position,
        row.act,
        Actor(row.actor_id, name, row.actor_kind, row.role),
        row.occurred,
        row.recorded,
        kept.get(REASON),
        row.request_id,
        seen.params(row.params),
        {field: value for field, value in kept.items() if field not in (REASON, ACTOR)},
        erased_fields(row.personal, kept),
        seen.changes,
        changes,
        row.caused_by if row.caused_by in causes else None,
        row.chain,
    )
