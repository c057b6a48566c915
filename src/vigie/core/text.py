"""Text as people type it: folded for search (no case, no accents, one spelling), and names.

One folding for search, the gazetteer, filters and imports. Two texts are the same name when
`fold` of both is equal. A text is found by the start of any of its `spellings`; what a person
types is split by `words`, as typed, since "st" may begin "stade" as well as mean "saint".

Search and sort columns hold folded text, written here and compared bytewise by the database: a
change here needs a migration that rewrites them (places.street.folded, twin.asset.folded,
twin.word), such as 0015.
"""

import unicodedata
from functools import lru_cache

from vigie.core.errors import Fault, wrong_fields

# The last ones are letters to Unicode, and apostrophes to everyone else.
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
    | dict.fromkeys("ʹʺʻʼʽʾʿˈˊˋꞋꞌ", "'")
)

# What street and town registers shorten. A one-letter "R" or "L" means too many other things.
_SHORT = {
    "saint": ("st",),
    "sainte": ("ste",),
    "saints": ("sts",),
    "saintes": ("stes",),
    "allee": ("all",),
    "avenue": ("av", "ave"),
    "boulevard": ("bd", "bld", "bvd"),
    "chemin": ("che", "chem"),
    "faubourg": ("fbg", "fg"),
    "impasse": ("imp",),
    "place": ("pl",),
    "route": ("rte",),
    "square": ("sq",),
    "commandant": ("cdt",),
    "docteur": ("dr",),
    "general": ("gal",),
    "marechal": ("mal",),
    "president": ("pdt",),
}
_FULL = {short: full for full, shorts in _SHORT.items() for short in shorts}


def fold(text: str) -> str:
    """The form in which two spellings of one name are equal: lower case letters and digits, words
    separated by one space, abbreviations in full: "Av. St-Élan" → "avenue saint elan".

    Idempotent. Letters of other scripts stay; their accents go.
    """
    plain = _words(text)
    if " " not in plain:
        return _FULL.get(plain, plain)
    return " ".join([_FULL.get(word, word) for word in plain.split()])


def words(text: str) -> list[str]:
    """The words of a text in order, abbreviations as they were typed."""
    return _words(text).split()


def spellings(text: str) -> list[str]:
    """What a text is found by: its words, then how else they may be spelled, each once."""
    written = list(dict.fromkeys(words(text)))
    full = [_FULL.get(word, word) for word in written]
    return list(dict.fromkeys([*written, *full, *(s for f in full for s in _SHORT.get(f, ()))]))


def _words(text: str) -> str:
    lowered = text.lower() if text.isascii() else _plain(text)
    if lowered.isalnum():
        return lowered
    return " ".join("".join(c if c.isalnum() else " " for c in lowered).split())


@lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    # Compatibility forms may hold capitals, and case folding may decompose: until it rests.
    # Soft hyphens and zero-width characters (Cf) do not end a word; marks are accents.
    while True:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(c for c in decomposed if unicodedata.category(c) not in _DROPPED)
        plain = plain.translate(_LETTERS)
        if plain == text:
            return plain
        text = plain


_DROPPED = {"Mn", "Mc", "Me", "Cf"}


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
