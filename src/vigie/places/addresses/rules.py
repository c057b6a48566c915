"""Reading an address as people type it: pure.

12 bis rue de la Liberté, 21000 Dijon
12bis r. de la liberte
rue de la Liberté 12
"""

import re

import msgspec

from vigie.core.text import words

LONGEST_NUMBER = 9_999
# What follows a number when two houses share it.
SUFFIXES = {
    "b": "bis", "bis": "bis", "t": "ter", "ter": "ter", "q": "quater", "quater": "quater",
    "quinquies": "quinquies", "sexies": "sexies",
}  # fmt: skip
_LETTER = re.compile(r"[a-z]")
_NUMBER = re.compile(r"(\d{1,4})([a-z]*)")
_POSTCODE = re.compile(r"\d{5}")
# Of "12 r de la Liberté" the letter is a street, not a suffix.
_STREETS = frozenset({"r"})
# Postal words that name no place.
_NOISE = frozenset({"france", "cedex", "n", "no", "numero"})


class Reading(msgspec.Struct, frozen=True):
    """One way to read a text: a house (0: none said), its suffix, the rest, and a postcode."""

    number: int
    suffix: str
    street: str
    postcode: str = ""


def read_suffix(text: str) -> str:
    """A suffix as it is stored: "B" and "bis" are one; "" for none, or for a text too long."""
    plain = "".join(words(text))
    return SUFFIXES.get(plain, plain if len(plain) <= 10 else "")


def readings(text: str) -> list[Reading]:
    """How an address may be meant, the likeliest first: with its number before the street, after
    it, and without one ("rue du 8 mai 1945")."""
    typed = words(text[:200])[:16]
    postcode = next((w for w in reversed(typed[1:]) if _POSTCODE.fullmatch(w)), "")
    rest = [w for w in typed if w not in _NOISE and w != postcode]
    if typed and rest and not postcode and _POSTCODE.fullmatch(rest[0]):
        postcode, rest = rest[0], rest[1:]
    found: list[Reading] = []
    if rest and (match := _NUMBER.fullmatch(rest[0])) is not None:
        found += _leading(int(match[1]), match[2], rest[1:], postcode)
    found.append(Reading(0, "", " ".join(rest), postcode))
    found += _trailing(rest, postcode)
    return [r for r in dict.fromkeys(found) if r.street]


def _leading(number: int, glued: str, rest: list[str], postcode: str) -> list[Reading]:
    if glued:
        suffix = SUFFIXES.get(glued, glued if len(glued) == 1 else "")
        return [Reading(number, suffix, " ".join(rest), postcode)] if suffix else []
    first = rest[0] if rest else ""
    plain = Reading(number, "", " ".join(rest), postcode)
    with_suffix = Reading(number, SUFFIXES.get(first, first), " ".join(rest[1:]), postcode)
    if first in SUFFIXES and len(first) > 1:
        return [with_suffix]
    if _LETTER.fullmatch(first):
        return [plain, with_suffix] if first in _STREETS else [with_suffix, plain]
    return [plain]


def _trailing(rest: list[str], postcode: str) -> list[Reading]:
    found: list[Reading] = []
    for at in range(len(rest) - 1, 0, -1):
        match = _NUMBER.fullmatch(rest[at])
        if match is None:
            continue
        after = rest[at + 1 :]
        suffix = SUFFIXES.get(match[2], match[2] if len(match[2]) == 1 else "")
        if match[2] and not suffix:
            continue
        if not suffix and after and after[0] in SUFFIXES:
            suffix, after = SUFFIXES[after[0]], after[1:]
        street = " ".join([*rest[:at], *after])
        found.append(Reading(int(match[1]), suffix, street, postcode))
    return found


def label(number: int, suffix: str, street: str) -> str:
    """An address on one line: "12 bis Rue de la Liberté"."""
    return " ".join(part for part in (str(number) if number else "", suffix, street) if part)
