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
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Protocol

import msgspec
from sqlalchemy import ColumnElement, and_, any_, false, literal, not_, or_, true

from vigie.core.errors import Invalid
from vigie.core.text import fold

Operator = Literal["=", "<", "<=", ">", ">="]
Predicate = ColumnElement[bool]

LONGEST = 2000
MOST_TERMS = 40
MOST_VALUES = 200


class Term(msgspec.Struct, frozen=True):
    """One condition; `field` None searches text. `at` is where it starts in what was typed."""

    field: str | None
    values: tuple[str, ...]
    operator: Operator = "="
    negated: bool = False
    at: int = 0


_FIELD = re.compile(r"(-?)([A-Za-z_][A-Za-z0-9_.]*):")
_COMPARE = re.compile(r">=|<=|>|<")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s",]+')
_FREE = re.compile(r'[^\s"]+')


def parse(text: str) -> tuple[Term, ...]:
    """What a filter says. Raises Invalid with the position of the fault and what to do."""
    if len(text) > LONGEST:
        raise fault(LONGEST, "too_long", f"a filter has at most {LONGEST} characters")
    nul = text.find("\0")
    if nul >= 0:
        raise fault(nul, "character", "the character U+0000 cannot be searched")
    terms: list[Term] = []
    at = _skip(text, 0)
    while at < len(text):
        term, at = _term(text, at)
        if at < len(text) and not text[at].isspace():
            raise fault(at, "space", f"put a space before {text[at]!r}")
        terms.append(term)
        if len(terms) > MOST_TERMS:
            raise fault(term.at, "too_many", f"a filter has at most {MOST_TERMS} terms")
        at = _skip(text, at)
    return tuple(terms)


def write(terms: Sequence[Term]) -> str:
    """Terms as a person would type them; `parse` reads them back."""
    return " ".join(_written(term) for term in terms)


def fault(at: int, reason: str, say: str, **params: Any) -> Invalid:
    """A filter that cannot be understood: where, why, and what to do."""
    return Invalid(
        "bad_filter",
        f"The filter is not understood at character {at + 1}: {say}.",
        {"position": at + 1, "reason": reason, **params},
        errors=[{"field": "filter", "code": reason, "message": say}],
    )


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
        try:
            number = Decimal(value)
            if number.is_finite() and self._whole and number == int(number):
                if abs(number) < 2**63:
                    return int(number)
            elif not self._whole and math.isfinite(float(number)):
                return float(number)
        except (InvalidOperation, OverflowError):
            pass
        kind = "a whole number" if self._whole else "a number"
        raise fault(
            term.at, "value", f"{self.name} is {kind}; {value!r} is not", field=self.name,
            value=value,
        )  # fmt: skip


class Time:
    """An instant or a day (UTC). A day stands for all of it: `installed:2024-05-01`."""

    def __init__(self, name: str, column: ColumnElement[Any]) -> None:
        self.name = name
        self._column = column

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
        try:
            if len(value) == 10:
                start = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
                return start, start + timedelta(days=1)
            start = datetime.fromisoformat(value)
            if start.tzinfo is not None:
                return start, start + timedelta(microseconds=1)
        except (ValueError, OverflowError):
            pass
        raise fault(
            term.at,
            "value",
            f"{self.name} is a day (2026-11-23) or an instant with its offset "
            f"(2026-11-23T21:14:00Z); {value!r} is not",
            field=self.name,
            value=value,
        )


class Fields:
    """What a list can be filtered by."""

    def __init__(self, *fields: Field, words: Callable[[str], Predicate] | None = None) -> None:
        self._fields = {field.name: field for field in fields}
        self._words = words

    @property
    def names(self) -> list[str]:
        """The fields there are."""
        return sorted(self._fields)

    def compile(self, text: str | None) -> list[Predicate]:
        """Conditions that must all hold. Raises Invalid with position and remedy."""
        return [self._one(term) for term in parse(text or "")]

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
            )
        # Null is "not so" for a person: a light without a power is among `-power:>60`.
        return not_(made.is_(true())) if term.negated else made

    def _search(self, term: Term) -> Predicate:
        if self._words is None:
            raise fault(
                term.at, "words", f"this list searches no text: use {', '.join(self.names)}"
            )
        return self._words(term.values[0])


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


def demand_equals(term: Term) -> None:
    """Raises Invalid when a field that has no order is compared."""
    if term.operator != "=":
        raise fault(
            term.at, "operator", f"{term.field} has no order: leave out {term.operator!r}",
            field=term.field,
        )  # fmt: skip


def demand_one(term: Term) -> None:
    """Raises Invalid when a comparison names several values."""
    if len(term.values) != 1:
        raise fault(term.at, "operator", f"compare {term.field} with one value", field=term.field)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, start: int) -> tuple[Term, int]:
    head = _FIELD.match(text, start)
    if head is None:
        return _free(text, start)
    at = head.end()
    sign = _COMPARE.match(text, at)
    operator: Operator = "="
    if sign is not None:
        operator, at = sign.group(), sign.end()  # type: ignore[assignment]
    values: list[str] = []
    while True:
        value, at = _value(text, at, head.group(2))
        values.append(value)
        if len(values) > MOST_VALUES:
            raise fault(at, "too_many", f"a term has at most {MOST_VALUES} values")
        if at >= len(text) or text[at] != ",":
            return Term(head.group(2), tuple(values), operator, bool(head.group(1)), start), at
        at += 1


def _free(text: str, start: int) -> tuple[Term, int]:
    negated = text[start] == "-" and start + 1 < len(text) and not text[start + 1].isspace()
    at = start + negated
    if text[at] == '"':
        value, at = _quoted(text, at)
    else:
        found = _FREE.match(text, at)
        assert found is not None
        value, at = found.group(), found.end()
    if not value.strip():
        raise fault(start, "empty", "there is nothing between the quotes")
    return Term(None, (value,), "=", negated, start), at


def _value(text: str, at: int, field: str) -> tuple[str, int]:
    if at < len(text) and text[at] == '"':
        return _quoted(text, at)
    found = _BARE.match(text, at)
    if found is None:
        raise fault(at, "empty", f"write a value after {field}:", field=field)
    return found.group(), found.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    found = _QUOTED.match(text, at)
    if found is None:
        raise fault(at, "quote", "close this quote")
    return re.sub(r"\\(.)", r"\1", found.group(1), flags=re.DOTALL), found.end()


def _written(term: Term) -> str:
    sign = "-" if term.negated else ""
    if term.field is None:
        word = term.values[0]
        bare = _FREE.fullmatch(word) and not word.startswith("-") and not _FIELD.match(word)
        return sign + (word if bare else _quote(word))
    operator = "" if term.operator == "=" else term.operator
    values = ",".join(
        v if _BARE.fullmatch(v) and not _COMPARE.match(v) else _quote(v) for v in term.values
    )
    return f"{sign}{term.field}:{operator}{values}"


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
