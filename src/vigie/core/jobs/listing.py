"""Jobs as a list: filtered, sorted, downloaded."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid

from vigie.core.database import Unit
from vigie.core.filters import Choice, Fields, Number, Time, contains
from vigie.core.filters import Text as Equals
from vigie.core.jobs.model import JobRow
from vigie.core.jobs.rules import JOB
from vigie.core.lists import Listing, Sort

TABLE = Table(
    "job",
    MetaData(schema="core"),
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("tries", SmallInteger, nullable=False),
    Column("due", DateTime(timezone=True), nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("started", DateTime(timezone=True)),
    Column("ended", DateTime(timezone=True)),
    Column("runner", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("version", Integer, nullable=False),
)


def shown(unit: Unit, row: Any) -> JobRow:
    """A row; its error may name what lies outside a narrower scope."""
    fields: dict[str, Any] = {name: row[name] for name in JobRow.__struct_fields__}
    if not unit.scope.everything:
        fields["error"] = None
    return JobRow(**fields)


async def _compose(unit: Unit, rows: Sequence[Any]) -> list[JobRow]:
    return [shown(unit, row._mapping) for row in rows]


LIST = Listing(
    "jobs.jobs",
    TABLE,
    row=JobRow,
    compose=_compose,
    fields=Fields(
        Equals("name", TABLE.c.name),
        Choice("state", TABLE.c.state, JOB.states),
        Number("attempt", TABLE.c.attempt, whole=True),
        Time("due", TABLE.c.due),
        Time("created", TABLE.c.created),
        Time("ended", TABLE.c.ended),
        words=lambda word: TABLE.c.name.like(contains(word)),
    ),
    sorts={
        "created": TABLE.c.created,
        "due": TABLE.c.due,
        "name": TABLE.c.name,
        "attempt": TABLE.c.attempt,
        "ended": Sort(TABLE.c.ended, nullable=True),
    },
    default="-created",
    key=TABLE.c.id,
)
