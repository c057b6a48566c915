"""Text as people type it: folded for search (no case, no accents, no punctuation), and names.

Search and sort columns hold folded text, written here and compared bytewise by the database.
"""

import unicodedata
from functools import lru_cache

from vigie.core.errors import Fault, wrong_fields

_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)


def fold(text: str) -> str:
    """Lower case letters and digits, words parted by one space: "L'Œuvre-Élan" → "l oeuvre elan".

    Idempotent. Letters of other scripts stay; their accents go.
    """
    if text.isascii():
        lowered = text.lower()
    else:
        lowered = _plain(text)
    if lowered.isalnum():
        return lowered
    return " ".join("".join(c if c.isalnum() else " " for c in lowered).split())


@lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    # Compatibility forms may hold capitals, and case folding may decompose: until it rests.
    while True:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))
        plain = plain.translate(_LETTERS)
        if plain == text:
            return plain
        text = plain


def words(text: str) -> list[str]:
    """The folded words of a text, in order."""
    return fold(text).split()


def successor(prefix: str) -> str:
    """The first text, bytewise, after all that start with the prefix: `>= prefix and < this`."""
    return prefix + "\U0010ffff"


# Letters, marks and symbols that are drawn as nothing although their category is a visible one:
# fillers of the Korean, Khmer and Mongolian scripts, variation selectors, the empty Braille cell.
_DRAWN_AS_NOTHING = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def _invisible(character: str) -> bool:
    """Control, direction and format characters, line separators, and what has no glyph at all."""
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        or character in _DRAWN_AS_NOTHING
    )


def name_fault(name: str) -> str | None:
    """Why a text cannot be the name of anything, as a message key; None when it can.

    A name must look like what it is: a right-to-left override turns another's name around, and an
    invisible character makes two names out of one."""
    if any(map(_invisible, name)):
        return "invisible_character"
    if not any(unicodedata.category(character)[0] in "LNPS" for character in name):
        return "blank_name"
    return None


def checked_name(field: str, name: str) -> str:
    """A name as it is stored: composed (NFC), without spaces around it.

    Raises Invalid, naming the field and the character."""
    fault = name_fault(name.strip(" "))
    if fault is None:
        return unicodedata.normalize("NFC", name.strip())
    if fault == "blank_name":
        message = "a name needs at least one letter, digit or sign that can be seen"
    else:
        hidden = next(character for character in name if _invisible(character))
        message = (
            f"the character U+{ord(hidden):04X} cannot be seen: type the name again without it"
        )
    raise wrong_fields(Fault(field, fault, message))


def visible(text: str) -> str:
    """Any text on one line that shows all it holds: an invisible character by its number.

    For what people may write freely (reasons) and for names older than the check."""
    return "".join(
        " " if c in "\t\n\r" else f"⟨U+{ord(c):04X}⟩" if _invisible(c) else c for c in text
    )
