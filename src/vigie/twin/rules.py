"""Decisions about equipment, pure: identity, dates, what changed."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from vigie.core.text import spellings
from vigie.twin.kinds import Kind

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_FRENCH = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR = re.compile(r"\d{4}")


def position_key(x: float, y: float) -> str:
    """A stable id of a place: Web Mercator decimetres. Neighbours 10 cm apart differ."""
    return f"p-{_base36(round(x * 10))}-{_base36(round(y * 10))}"


def _base36(value: int) -> str:
    sign, value = ("m" if value < 0 else ""), abs(value)
    digits = ""
    while True:
        value, rest = divmod(value, 36)
        digits = _DIGITS[rest] + digits
        if not value:
            return sign + digits


def read_date(value: Any) -> date | None:
    """A day however it is written: 2014-03-01, 01/03/2014, 20140301, 2014 (its first day).

    Nothing, or nothing but zeros, is None. Raises ValueError for anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return _plausible(value.date())
    if isinstance(value, date):
        return _plausible(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    written = str(value).strip()
    if not written.strip("0/-. "):
        return None
    if _YEAR.fullmatch(written):
        return _plausible(date(int(written), 1, 1))
    if match := _ISO.fullmatch(written) or _COMPACT.fullmatch(written):
        year, month, day = (int(part) for part in match.groups())
        return _plausible(date(year, month, day))
    if match := _FRENCH.fullmatch(written):
        day, month, year = (int(part) for part in match.groups())
        if year < 100:
            year += 2000 if year < 70 else 1900
        return _plausible(date(year, month, day))
    raise ValueError(f"{written[:40]!r} is no date")


def _plausible(day: date) -> date:
    if not 1800 <= day.year <= 2200:
        raise ValueError(f"the year {day.year} is not plausible")
    return day


def folded(name: str, source_id: str) -> str:
    """The words an asset is found by, its token aside."""
    return " ".join(dict.fromkeys([*spellings(name), *spellings(source_id)]))


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, before and after."""
    names = [name for name in after if before.get(name) != after[name]]
    return {n: before.get(n) for n in names}, {n: after[n] for n in names}


def may_feed(parent: Kind, child: Kind) -> bool:
    """True when equipment of one kind may be the parent of another."""
    return parent.name in child.parents
