"""Orders: what `sort=-at,title` means, and which rows come after a given one in that order.

Nulls come last in both directions. Rows that are equal in all that was asked for are in the order
of their key, so that an order is always total: no page repeats or drops a row.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, false, literal, or_, tuple_

from vigie.core.errors import Fault, Invalid, wrong_fields
from vigie.core.filters import Predicate
from vigie.core.paging import Key

MOST_SORTS = 3
_TYPES: tuple[Key, ...] = (bool, int, float, str, datetime, date, UUID)


class Sort:
    """A column that a list can be sorted by. Where it is never null an index can serve the order:
    a column says so itself (`nullable=False`), an expression here."""

    def __init__(self, column: ColumnElement[Any], *, nullable: bool | None = None) -> None:
        self.column = column
        if nullable is None:
            primary = bool(getattr(column, "primary_key", False))
            nullable = bool(getattr(column, "nullable", True)) and not primary
        self.nullable = nullable
        self.type = _type_of(column)


class Step(msgspec.Struct, frozen=True):
    """One part of an order."""

    name: str
    sort: Sort
    descending: bool


Order = tuple[Step, ...]


def read(text: str | None, sorts: Mapping[str, Sort], default: str, key: Sort) -> Order:
    """The order that someone asks for, made total. Raises Invalid naming what there is."""
    steps: list[Step] = []
    for part in (text or default).split(","):
        name = part.strip().removeprefix("-")
        if name not in sorts:
            raise _wrong(
                "unknown_sort", f"there is no {name[:40]!r} here: use {', '.join(sorted(sorts))}"
            )
        if any(step.name == name for step in steps):
            raise _wrong("sorted_twice", f"{name} is named twice")
        steps.append(Step(name, sorts[name], part.strip().startswith("-")))
    if len(steps) > MOST_SORTS:
        raise _wrong("too_many", f"sort by {MOST_SORTS} fields at most")
    if not any(step.sort.column is key.column for step in steps):
        steps.append(Step("", key, steps[-1].descending))
    return tuple(steps)


def write(order: Order) -> str:
    """An order as a client asks for it."""
    return ",".join(f"{'-' if s.descending else ''}{s.name}" for s in order if s.name)


def order_by(order: Order) -> list[ColumnElement[Any]]:
    """The order in SQL. A column that is never null has no `nulls last`, which no index has."""
    parts: list[ColumnElement[Any]] = []
    for step in order:
        part = step.sort.column.desc() if step.descending else step.sort.column.asc()
        parts.append(part.nulls_last() if step.sort.nullable and step.descending else part)
    return parts


def after(order: Order, values: Sequence[Any]) -> Predicate:
    """The rows that come after one with these values."""
    columns = [step.sort.column for step in order]
    directions = {step.descending for step in order}
    if len(directions) == 1 and not any(step.sort.nullable for step in order):
        # A comparison of rows is what an index answers in one go.
        mine = tuple_(*columns)
        other = tuple_(*(literal(v, c.type) for v, c in zip(values, columns, strict=True)))
        return mine < other if directions == {True} else mine > other
    later: list[Predicate] = []
    equal: list[Predicate] = []
    for step, value in zip(order, values, strict=True):
        later.append(and_(*equal, _beyond(step, value)))
        column = step.sort.column
        equal.append(column.is_(None) if value is None else column == literal(value, column.type))
    found = or_(*later)
    first = order[0]
    if first.sort.nullable or values[0] is None:
        return found
    # Said once more for the index: nothing before the first value.
    bound = literal(values[0], first.sort.column.type)
    column = first.sort.column
    return and_(column <= bound if first.descending else column >= bound, found)


def _beyond(step: Step, value: Any) -> Predicate:
    """After a value in one column: nulls are after everything, and nothing is after them."""
    if value is None:
        return false()
    column = step.sort.column
    bound = literal(value, column.type)
    further = column < bound if step.descending else column > bound
    return or_(further, column.is_(None)) if step.sort.nullable else further


def _type_of(column: ColumnElement[Any]) -> Key:
    try:
        kind = column.type.python_type
    except NotImplementedError as error:
        raise TypeError(f"{column} cannot be sorted by: say its type") from error
    for known in _TYPES:
        if kind is known:
            return known
    raise TypeError(f"{column} cannot be sorted by: a {kind.__name__} has no place in a cursor")


def _wrong(fault: str, message: str) -> Invalid:
    return wrong_fields(
        Fault("sort", fault, message),
        code="bad_sort",
        detail=f"The list cannot be sorted so: {message}.",
        params={"reason": fault},
    )
