"""Numbers as people write them: decimal commas, separated thousands."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|[+-]?\.\d+")
_MOST = 60
# Between thousands, whatever the decimal sign: spaces of several widths and apostrophes.
_GAPS = str.maketrans("", "", " \u00a0\u2007\u2009\u202f'\u2019")
_GROUPED = {
    ",": re.compile(r"[+-]?\d{1,3}(,\d{3})+"),
    ".": re.compile(r"[+-]?\d{1,3}(\.\d{3})+"),
}


def number(text: Any, decimal: str = "") -> float | None:
    """A finite number however it is written: 1234.5, "1 234,5", "854.184,55"; None for all else.

    `decimal` is the decimal sign of the column, where that is known: it decides about "854.184",
    which is read as a decimal number otherwise.
    """
    if isinstance(text, int | float):
        return float(text) if np.isfinite(text) else None
    if not isinstance(text, str) or len(text) > _MOST:
        return None
    plain = text.strip().translate(_GAPS)
    if decimal:
        value = _read(plain, decimal)
        if value is not None:
            return value
    return _read(plain, decimal_sign(plain) or ".")


def _read(plain: str, decimal: str) -> float | None:
    thousands = "." if decimal == "," else ","
    whole, sign, rest = plain.partition(decimal)
    if thousands in whole:
        if not _GROUPED[thousands].fullmatch(whole):
            return None
        whole = whole.replace(thousands, "")
    plain = f"{whole}.{rest}" if sign else whole
    if not _NUMBER.fullmatch(plain):
        return None
    value = float(plain)
    return value if np.isfinite(value) else None


def decimal_sign(text: str) -> str:
    """The decimal sign that a number is written with; "" where it has neither comma nor point.

    Of two signs the right-most is the decimal one; what is there twice separates thousands.
    """
    commas, points = text.count(","), text.count(".")
    if commas and points:
        return "," if text.rindex(",") > text.rindex(".") else "."
    if commas:
        return "," if commas == 1 else "."
    if points:
        return "." if points == 1 else ","
    return ""


def decimal_of_column(cells: Iterable[str]) -> str:
    """The decimal sign that a column's numbers agree on; "" where nothing tells or they differ."""
    found: set[str] = set()
    for cell in cells:
        plain = cell.strip().translate(_GAPS)
        sign = decimal_sign(plain)
        if not sign or number(plain) is None:
            continue
        # One sign before three digits may be either.
        only = plain.count(",") + plain.count(".") == 1
        if not (only and len(plain.partition(sign)[2]) == 3):
            found.add(sign)
    return found.pop() if len(found) == 1 else ""
