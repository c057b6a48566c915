"""The terms of the filter language: how what a person typed is read, and written again."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from vigie.core.errors import Fault, Invalid, wrong_fields

Operator = Literal["=", "<", "<=", ">", ">="]

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
        raise fault(LONGEST, "too_long", f"a filter has at most {LONGEST} characters", most=LONGEST)
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
            raise fault(
                term.at, "too_many", f"a filter has at most {MOST_TERMS} terms", most=MOST_TERMS
            )
        at = _skip(text, at)
    return tuple(terms)


def write(terms: Sequence[Term]) -> str:
    """Terms as a person would type them; `parse` reads them back."""
    return " ".join(_written(term) for term in terms)


def fault(at: int, reason: str, say: str, **params: Any) -> Invalid:
    """A filter that cannot be understood: where, why, and what to do."""
    return wrong_fields(
        Fault("filter", f"filter_{reason}", say),
        code="bad_filter",
        detail=f"The filter is not understood at character {at + 1}: {say}.",
        params={"position": at + 1, "reason": reason, **params},
    )


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
            raise fault(
                at, "too_many", f"a term has at most {MOST_VALUES} values", most=MOST_VALUES
            )
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
    # A value that begins with `=` would make another operator of the one before it.
    values = ",".join(
        v if _BARE.fullmatch(v) and v[0] not in "<=>" else _quote(v) for v in term.values
    )
    return f"{sign}{term.field}:{operator}{values}"


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
