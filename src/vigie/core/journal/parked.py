"""Acts that a reaction gave up on: listed, tried again or dismissed by people."""

from functools import cache

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    cast,
    column,
    func,
    literal_column,
    table,
    text,
)

from vigie.core import filters
from vigie.core.database import Unit
from vigie.core.errors import Conflict, NotFound
from vigie.core.journal.model import Parked
from vigie.core.journal.service import record
from vigie.core.lists import Listing, ListQuery
from vigie.core.paging import Page

PARKED = Table(
    "parked",
    MetaData(schema="journal"),
    Column("reaction", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("entry", Uuid, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("parked", DateTime(timezone=True), nullable=False),
    Column("retry", Boolean, nullable=False),
).alias("p")

_COLUMNS = "p.reaction, p.position, p.entry, p.tries, p.error, p.parked, p.retry"
# Those whose act is in the scope of the unit of work.
_SEEN = (
    f"select {_COLUMNS} from journal.parked p left join journal.entry e on e.id = p.entry"  # noqa: S608
    " where journal.in_scope(coalesce(e.scopes, '{}'))"
)
_ONE_PARKED = text(f"{_SEEN} and p.reaction = :reaction and p.position = :position for update of p")
_ASK = text(
    "update journal.parked set retry = true where reaction = :reaction and position = :position"
)
_UNPARK = text("delete from journal.parked where reaction = :reaction and position = :position")


async def list_parked(unit: Unit, reaction: str | None = None) -> list[Parked]:
    """Acts in scope that a reaction gave up on, oldest first, a thousand at most."""
    return (await page_of_parked(unit, ListQuery(limit=1000), reaction)).items


async def page_of_parked(unit: Unit, query: ListQuery, reaction: str | None = None) -> Page[Parked]:
    """A page of them. Raises Invalid for a query that is none."""
    scopes = func.coalesce(literal_column("e.scopes"), literal_column("'{}'"))
    where: list[ColumnElement[bool]] = [func.journal.in_scope(scopes)]
    if reaction is not None:
        where.append(PARKED.c.reaction == reaction)
    return await _listing().page(unit, query, where=where, bound=reaction or "")


@cache
def _listing() -> Listing[Parked]:
    acts = table("entry", column("id", Uuid), schema="journal").alias("e")
    return Listing(
        "journal.parked",
        PARKED.outerjoin(acts, acts.c.id == PARKED.c.entry),
        row=Parked,
        select=list(PARKED.c),
        fields=_fields,
        sorts={name: PARKED.c[name] for name in ("reaction", "position", "tries", "parked")},
        default="reaction,position",
        # A position is parked once a reaction.
        key=PARKED.c.reaction + "/" + cast(PARKED.c.position, Text),
    )


async def _fields(unit: Unit) -> filters.Fields:
    return filters.Fields(
        filters.Text("reaction", PARKED.c.reaction),
        filters.Number("tries", PARKED.c.tries, whole=True),
        filters.Time("parked", PARKED.c.parked, await unit.zone()),
        words=lambda word: PARKED.c.error.ilike(f"%{filters.escape_like(word)}%"),
    )


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
