"""Days as cities write them, in French or English."""

import re
from datetime import date, datetime
from typing import Any

from vigie.core.text import words

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}|\d{6})?")
_YEAR = re.compile(r"\d{4}")
_MONTH = re.compile(r"(\d{1,2})[-/.](\d{4})")
_MONTH_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})")
_DAY = re.compile(r"(\d{1,2})(?:er|e|st|nd|rd|th)?")
# What spreadsheets and databases write for no date at all.
_NONE = {date(1899, 12, 30), date(1899, 12, 31)}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv jan january",
            "fevrier fevr fev february feb",
            "mars mar march",
            "avril avr april apr",
            "mai may",
            "juin june jun",
            "juillet juil july jul",
            "aout aou august aug",
            "septembre sept sep september",
            "octobre oct october",
            "novembre nov november",
            "decembre dec december",
        ),
        1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
}  # fmt: skip


def read_date(value: Any) -> date | None:
    """A day however it is written: 2014-03-01, 01/03/2014, 20140301, 1er mars 2014.

    A month (03/2014, mars 2014) or a year is its first day. Nothing, or nothing but zeros, is
    None. Raises ValueError, which quotes the value, for anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    written = str(value).strip()
    if not written.strip("0/-. :"):
        return None
    try:
        day = _read(value, written)
    except ValueError as error:
        raise ValueError(f"{written[:40]!r}: {error}") from error
    if day in _NONE:
        return None
    if not 1800 <= day.year <= 2200:
        raise ValueError(f"{written[:40]!r}: the year {day.year} is not plausible")
    return day


def _read(value: Any, written: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if _YEAR.fullmatch(written):
        return date(int(written), 1, 1)
    if match := _ISO.fullmatch(written) or _COMPACT.fullmatch(written):
        year, month, day = (int(part) for part in match.groups())
        return date(year, month, day)
    if match := _DAY_FIRST.fullmatch(written):
        day, month, year = match.groups()
        return date(_year(year), int(month), int(day))
    if match := _MONTH.fullmatch(written):
        return date(int(match[2]), int(match[1]), 1)
    if match := _MONTH_ISO.fullmatch(written):
        return date(int(match[1]), int(match[2]), 1)
    return _in_words(written)


def _in_words(written: str) -> date:
    """`samedi 1er mars 2014`, `mars 2014`, `01-mars-14`, `March 1, 2014`."""
    match [part for part in words(written[:60]) if part not in _WEEKDAYS]:
        case [month, year] if month in _MONTHS and _YEAR.fullmatch(year):
            return date(int(year), _MONTHS[month], 1)
        case [day, month, year] if month in _MONTHS and (found := _DAY.fullmatch(day)):
            return date(_year(year), _MONTHS[month], int(found[1]))
        case [month, day, year] if month in _MONTHS and (found := _DAY.fullmatch(day)):
            return date(_year(year), _MONTHS[month], int(found[1]))
        case _:
            raise ValueError("it is no date")


def _year(written: str) -> int:
    """1970 to 2069 where only two digits are given."""
    if not re.fullmatch(r"\d{4}|\d{2}", written):
        raise ValueError("its year is not written with two or four digits")
    year = int(written)
    if len(written) == 4:
        return year
    return year + (2000 if year < 70 else 1900)
