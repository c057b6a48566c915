"""What the journal can be filtered by: `act:control actor:anne object:twin.asset/17 monge`."""

from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    any_,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    tuple_,
)

from vigie.core import filters
from vigie.core.database import Unit
from vigie.core.filters import Predicate, Term, demand_equals, escape_like, fault
from vigie.core.journal.service import ACTOR

ENTRY = table(
    "entry",
    column("id", Uuid),
    column("recorded", DateTime(timezone=True)),
    column("occurred", DateTime(timezone=True)),
    column("act", Text),
    column("actor_name", Text),
    column("caused_by", Uuid),
    schema="journal",
).alias("e")
_PERSONAL = table(
    "personal", column("entry"), column("recorded"), column("field"), column("value", Text),
    schema="journal",
)  # fmt: skip
_CHANGE = table(
    "change", column("entry"), column("object_type", Text), column("object_id", Text),
    column("scope", Text), schema="journal",
)  # fmt: skip


def about(acts: list[str]) -> Predicate:
    """Acts named whole ("control.commanded") or by their room ("control")."""
    wanted = any_(literal(acts))
    return or_(ENTRY.c.act == wanted, func.split_part(ENTRY.c.act, ".", 1) == wanted)


class _Act:
    name = "act"

    def predicate(self, term: Term) -> Predicate:
        """Any of these acts or rooms."""
        demand_equals(term)
        return about(list(term.values))


class _Actor:
    name = "actor"

    def predicate(self, term: Term) -> Predicate:
        """Done by a person or a program of this name; an erased name is not found."""
        demand_equals(term)
        wanted = any_(literal(list(term.values)))
        named = select(_PERSONAL.c.entry).where(
            _PERSONAL.c.field == ACTOR, _PERSONAL.c.value == wanted
        )
        return or_(ENTRY.c.actor_name == wanted, ENTRY.c.id.in_(named))


class _Object:
    name = "object"

    def predicate(self, term: Term) -> Predicate:
        """What changed one of these objects, each as type/id, where the reader sees it."""
        demand_equals(term)
        wanted = [tuple(value.partition("/")[::2]) for value in term.values]
        touched = select(_CHANGE.c.entry).where(
            tuple_(_CHANGE.c.object_type, _CHANGE.c.object_id).in_(wanted),
            func.journal.in_scope(func.string_to_array(_CHANGE.c.scope, " ")),
        )
        return ENTRY.c.id.in_(touched)


class _CausedBy:
    name = "caused_by"

    def predicate(self, term: Term) -> Predicate:
        """What reactions did because of one of these acts."""
        demand_equals(term)
        try:
            acts = [UUID(value) for value in term.values]
        except ValueError as error:
            raise fault(
                term.at, "value", "caused_by is the id of an act", field=self.name
            ) from error
        return ENTRY.c.caused_by == any_(literal(acts))


def _words(word: str) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            _PERSONAL.c.entry == ENTRY.c.id,
            _PERSONAL.c.recorded == ENTRY.c.recorded,
            _PERSONAL.c.value.ilike(f"%{escape_like(word)}%"),
        )
    )


async def fields(unit: Unit) -> filters.Fields:
    """What acts can be filtered by; days are the city's."""
    zone = await unit.zone()
    return filters.Fields(
        _Act(),
        _Actor(),
        _Object(),
        _CausedBy(),
        filters.Time("occurred", ENTRY.c.occurred, zone),
        filters.Time("recorded", ENTRY.c.recorded, zone),
        words=_words,
    )
