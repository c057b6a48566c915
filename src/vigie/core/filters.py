"""The one filter language of all lists.

    kind:Streetlight municipality:21231 street:"Rue de la Liberté" -status:ok,retired power:>60 text

Terms are parted by spaces and all must hold. `field:value` with one value or several parted by
commas (any of them); a leading `-` turns a term round; numbers and times take `>`, `>=`, `<`, `<=`.
Quotes hold spaces, commas and colons; inside them `\\"` is a quote. Any other word searches text.

A list declares its fields once and compiles what a person typed to parametrised SQL:

    ASSETS = Fields(
        Choice("kind", asset.c.kind, KINDS),
        Text("street", asset.c.folded_street, folded=True),
        Number("power", asset.c.power),
        words=lambda word: asset.c.folded.like(contains(word)),
    )
    select(asset).where(*ASSETS.compile(filter))

What a filter may cost is bounded before it runs: its length, its terms, and a budget in which a
term costs 1, a word 5, and a value of a field whatever the list says in `costs`.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, any_, false, literal, not_, or_, true

from vigie.core import clock
from vigie.core.filter_terms import (
    Operator,
    Term,
    demand_equals,
    demand_one,
    fault,
    parse,
    write,
)
from vigie.core.text import fold, words

Predicate = ColumnElement[bool]

BUDGET = 80
WORD_COST = 5
_MOST_DIGITS = 40
_INT64 = 2**63


class Field(Protocol):
    """A field of a list: its name, and what a term about it means in SQL."""

    @property
    def name(self) -> str:
        """As typed before the colon."""
        ...

    def predicate(self, term: Term) -> Predicate:
        """The condition of a term without its negation. Raises Invalid."""
        ...


class Text:
    """Text that equals; `folded` compares without case and accents, on a folded column."""

    def __init__(self, name: str, column: ColumnElement[Any], *, folded: bool = False) -> None:
        self.name = name
        self._column, self._folded = column, folded

    def predicate(self, term: Term) -> Predicate:
        """Any of the values."""
        demand_equals(term)
        values = [fold(v) if self._folded else v for v in term.values]
        return self._column == any_(literal(values))


class Choice:
    """One of some declared values; `pick` maps a value to its own condition instead."""

    def __init__(
        self,
        name: str,
        column: ColumnElement[Any] | None,
        choices: Collection[str] | Callable[[], Collection[str]],
        *,
        pick: Callable[[str], Predicate] | None = None,
    ) -> None:
        self.name = name
        self._column, self._choices, self._pick = column, choices, pick

    def predicate(self, term: Term) -> Predicate:
        """Any of the values; an unknown one is refused with the list of those there are."""
        demand_equals(term)
        choices = self._choices() if callable(self._choices) else self._choices
        for value in term.values:
            if value not in choices:
                known = ", ".join(sorted(choices)[:20])
                raise fault(
                    term.at,
                    "value",
                    f"{self.name} is one of {known}; {value!r} is not",
                    field=self.name,
                    value=value,
                    known=known,
                )
        if self._pick is not None:
            return or_(false(), *(self._pick(value) for value in term.values))
        assert self._column is not None
        return self._column == any_(literal(list(term.values)))


class Number:
    """A number, compared."""

    def __init__(self, name: str, column: ColumnElement[Any], *, whole: bool = False) -> None:
        self.name = name
        self._column, self._whole = column, whole

    def predicate(self, term: Term) -> Predicate:
        """Compared with one number, or equal to any of several."""
        return compare(self._column, term, [self._read(term, value) for value in term.values])

    def _read(self, term: Term, value: str) -> int | float:
        number = _decimal(value)
        if number is not None and self._whole and number == number.to_integral_value():
            if -_INT64 < number < _INT64:
                return int(number)
        elif number is not None and not self._whole and math.isfinite(float(number)):
            return float(number)
        kind = "a whole number" if self._whole else "a number"
        raise fault(
            term.at, "value", f"{self.name} is {kind}; {value!r} is not", field=self.name,
            value=value,
        )  # fmt: skip


class Time:
    """An instant or a day of `zone`. A day stands for all of it: `installed:2024-05-01`."""

    def __init__(self, name: str, column: ColumnElement[Any], zone: tzinfo = UTC) -> None:
        self.name = name
        self._column, self._zone = column, zone

    def predicate(self, term: Term) -> Predicate:
        """Compared, or within any of the days."""
        spans = [self._read(term, value) for value in term.values]
        if term.operator == "=":
            within = (and_(self._column >= a, self._column < b) for a, b in spans)
            return or_(false(), *within)
        start, end = spans[0]
        demand_one(term)
        if term.operator == ">":
            return self._column >= end
        if term.operator == "<=":
            return self._column < end
        return self._column >= start if term.operator == ">=" else self._column < start

    def _read(self, term: Term, value: str) -> tuple[datetime, datetime]:
        span = clock.read_span(value, self._zone)
        if isinstance(span, tuple):
            return span
        raise fault(
            term.at,
            "value",
            f"{self.name} is {clock.FAULTS[span]}; {value!r} is not",
            field=self.name,
            value=value,
        )


class Fields:
    """What a list can be filtered by."""

    def __init__(
        self,
        *fields: Field,
        words: Callable[[str], Predicate] | None = None,
        costs: Mapping[str, int] | None = None,
    ) -> None:
        self._fields = {field.name: field for field in fields}
        self._words = words
        self._costs = costs or {}

    @property
    def names(self) -> list[str]:
        """The fields there are."""
        return sorted(self._fields)

    def compile(self, text: str | None) -> list[Predicate]:
        """Conditions that must all hold. Raises Invalid with position and remedy."""
        terms = parse(text or "")
        self._spend(terms)
        return [self._one(term) for term in terms]

    def _spend(self, terms: Sequence[Term]) -> None:
        """Raises Invalid at the term with which the filter costs more than its budget."""
        left = BUDGET
        for term in terms:
            left -= self._cost(term)
            if left < 0:
                raise fault(
                    term.at,
                    "too_costly",
                    f"this searches too much at once: ask for less, {BUDGET // WORD_COST} words "
                    "at most",
                    limit=BUDGET,
                )

    def _cost(self, term: Term) -> int:
        if term.field is None:
            return WORD_COST * max(1, len(search_words(term.values[0])))
        each = self._costs.get(term.field)
        return 1 if each is None else each * len(term.values)

    def _one(self, term: Term) -> Predicate:
        if term.field is None:
            made = self._search(term)
        elif term.field in self._fields:
            made = self._fields[term.field].predicate(term)
        else:
            raise fault(
                term.at,
                "field",
                f"there is no field {term.field!r} here: use {', '.join(self.names) or 'words'}",
                field=term.field,
                known=", ".join(self.names),
            )
        # Null is "not so" for a person: a light without a power is among `-power:>60`.
        return not_(made.is_(true())) if term.negated else made

    def _search(self, term: Term) -> Predicate:
        if self._words is None:
            raise fault(
                term.at,
                "words",
                f"this list searches no text: use {', '.join(self.names)}",
                known=", ".join(self.names),
            )
        return self._words(term.values[0])


def search_words(text: str) -> list[str]:
    """The folded words of a text that searching it must look for, each once: a word with which
    another one begins is found with that one ("la" with "lampe")."""
    distinct = sorted(set(words(text)))
    # Sorted, a word's extensions follow it.
    return [
        word
        for word, following in zip(distinct, [*distinct[1:], ""], strict=False)
        if not following.startswith(word)
    ]


def contains(word: str) -> str:
    """A LIKE pattern for folded text that holds a folded word; what is typed is never a pattern."""
    return f"%{escape_like(fold(word))}%"


def starts_a_word(word: str) -> str:
    """A regular expression for folded text one of whose words starts so."""
    return r"\m" + re.sub(r"[^\w ]", "", fold(word))


def escape_like(text: str) -> str:
    """Text without the power of LIKE's own characters."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def compare(column: ColumnElement[Any], term: Term, values: Sequence[Any]) -> Predicate:
    """A column against one value, or equal to any of several."""
    if term.operator == "=":
        return column == any_(literal(list(values)))
    demand_one(term)
    value = values[0]
    if term.operator == "<":
        return column < value
    if term.operator == "<=":
        return column <= value
    return column > value if term.operator == ">" else column >= value


def _decimal(value: str) -> Decimal | None:
    """A finite number of an ordinary size: 1e9999999 as an integer would be ten million digits."""
    if len(value) > _MOST_DIGITS:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 400 else None


__all__ = [
    "BUDGET",
    "WORD_COST",
    "Choice",
    "Field",
    "Fields",
    "Number",
    "Operator",
    "Predicate",
    "Term",
    "Text",
    "Time",
    "compare",
    "contains",
    "demand_equals",
    "demand_one",
    "escape_like",
    "fault",
    "parse",
    "search_words",
    "starts_a_word",
    "write",
]
