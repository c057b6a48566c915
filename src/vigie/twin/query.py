"""From the filter language to conditions on `twin.asset`.

Under row level security only leakproof operators reach an index: equality and order of text and
numbers. Whatever is said here, the policy decides what is seen.
"""

from datetime import date
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    any_,
    func,
    literal,
    literal_column,
    not_,
    select,
)

from vigie import places
from vigie.core import lists
from vigie.core.database import Unit
from vigie.core.filters import (
    Choice,
    Fields,
    Number,
    Predicate,
    Term,
    demand_equals,
    parse,
    search_words,
)
from vigie.core.geometry import BBox
from vigie.core.scope import Scope
from vigie.core.text import fold, successor
from vigie.places import Gazetteer, Locator
from vigie.twin import kinds
from vigie.twin.model import ASSET, TALLY, WORD

# A status is looked up in all equipment's state: so many values of it a filter may name.
_COSTS = {"status": 10}
_COUNTED = {"kind", "trade", "municipality"}


class Selection(msgspec.Struct, frozen=True):
    """Conditions on assets; on the tally too, when it can tell how many they find."""

    where: list[Predicate]
    tally: list[Predicate] | None


async def selection(unit: Unit, filter_: str) -> Selection:
    """Read a filter. Raises Invalid with the position of the fault and what to do."""
    terms = parse(filter_)
    today = func.timezone(str(await unit.zone()), func.vigie.now()).cast(Date)
    where = await places.locator(unit)
    names = await places.gazetteer(unit)
    fields = Fields(
        Choice("kind", ASSET.c.kind, kinds.kinds()),
        Choice("trade", ASSET.c.trade, kinds.trades()),
        _Municipality(ASSET.c.municipality, where),
        _Street(names),
        _Status(today),
        _Same("source", ASSET.c.source),
        _Same("source_id", ASSET.c.source_id),
        Number("parent", ASSET.c.parent, whole=True),
        Number("id", ASSET.c.id, whole=True),
        words=lambda text: _words(text, unit.scope),
        costs=_COSTS,
    )
    tally = None
    if all(term.field in _COUNTED for term in terms):
        counted = Fields(
            Choice("kind", TALLY.c.kind, kinds.kinds()),
            Choice("trade", TALLY.c.trade, kinds.trades()),
            _Municipality(TALLY.c.municipality, where),
        )
        tally = counted.compile(filter_)
    return Selection([*narrow(unit.scope, ASSET), *fields.compile(filter_)], tally)


def narrow(scope: Scope, table: Any) -> list[Predicate]:
    """The scope in a form that an index serves, beside the policy."""
    return lists.narrow(scope, table.c.municipality, table.c.trade)


def in_box(box: BBox) -> Predicate:
    """Within a box; the function sees through the policy to its index, and tells ids only."""
    west, south, east, north = box.mercator()
    corners = func.box(func.point(west, south), func.point(east, north))
    return ASSET.c.id.in_(select(func.twin.assets_in(corners)))


class _Same:
    """Text that equals."""

    def __init__(self, name: str, column: ColumnElement[Any]) -> None:
        self.name = name
        self._column = column

    def predicate(self, term: Term) -> Predicate:
        """Any of the values."""
        demand_equals(term)
        return self._column == any_(literal(list(term.values)))


class _Municipality:
    """By INSEE code or by name; `none` is in no municipality."""

    name = "municipality"

    def __init__(self, column: ColumnElement[Any], where: Locator) -> None:
        self._column, self._where = column, where

    def predicate(self, term: Term) -> Predicate:
        """Any of the municipalities."""
        demand_equals(term)
        codes = ["" if v == "none" else self._where.code(v) or v for v in term.values]
        return self._column == any_(literal(codes))


class _Street:
    """By name, without case and accents when the gazetteer knows it."""

    name = "street"

    def __init__(self, names: Gazetteer) -> None:
        self._names = names

    def predicate(self, term: Term) -> Predicate:
        """Any of the streets."""
        demand_equals(term)
        known = self._names.names("street", {fold(v) for v in term.values})
        return ASSET.c.street == any_(literal(sorted({*known, *term.values})))


class _Status:
    """How it is: at fault, silent, retired, active."""

    name = "status"

    def __init__(self, today: ColumnElement[date]) -> None:
        # Retired from the first moment of a day in the city, not in UTC.
        retired = func.coalesce(ASSET.c.retired <= today, False)
        self._days = {"retired": retired, "active": not_(retired)}

    def predicate(self, term: Term) -> Predicate:
        """In any of these states."""
        among = _statuses(left_out=term.negated) | self._days
        return Choice("status", None, among, pick=among.__getitem__).predicate(term)


def _words(text: str, scope: Scope) -> Predicate:
    """Every word starts a word of the asset's name, id or token."""
    wanted = search_words(text)
    # Signs alone are in no name: they find nothing, rather than everything there is.
    found: Predicate = literal_column("true" if wanted else "false", Boolean)
    for word in wanted:
        matching = select(WORD.c.asset).where(*starting_with(word), *narrow(scope, WORD))
        found = found & ASSET.c.id.in_(matching)
    return found


def starting_with(word: str, table: Any = WORD) -> list[Predicate]:
    """The words that start so."""
    return [table.c.word >= word, table.c.word < successor(word)]


def _condition(sql: str) -> Predicate:
    return literal_column(f"({sql})", Boolean)


def _among(function: str, *, left_out: bool) -> str:
    """Equipment whose ids a function tells. Looked for, they are an array, which an index takes in
    one go and in order; left out, they are a set."""
    if left_out:
        return f"exists (select from {function} told(asset) where told.asset = a.id)"
    return f"a.id = any(array(select {function}))"


def _silent(*, left_out: bool) -> str:
    """Nothing heard for longer than the kind promises, or never."""
    promised: dict[float, list[str]] = {}
    for kind in kinds.kinds().values():
        if kind.promise_s is not None:
            promised.setdefault(kind.promise_s, []).append(kind.name)
    cases = [
        f"(a.kind in ({', '.join(map(repr, names))}) and "
        + _among(f"twin.assets_silent(vigie.now() - interval '{promise:.0f} s')", left_out=left_out)
        + ")"
        for promise, names in promised.items()
    ]
    return f"a.retired is null and ({' or '.join(cases) or 'false'})"


@kinds.derived
def _statuses(*, left_out: bool) -> dict[str, Predicate]:
    return {
        "fault": _condition(_among("twin.assets_at_fault()", left_out=left_out)),
        "silent": _condition(_silent(left_out=left_out)),
    }
