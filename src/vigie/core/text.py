"""Text as people type it: no case, no accents, no punctuation, one spelling of a word.

One folding for search, the gazetteer, filters and imports. Two texts are the same name when
`fold` of both is equal. A text is found by the start of any of its `spellings`; what a person
types is split by `words`, as typed, since "st" may begin "stade" as well as mean "saint".

Search and sort columns hold folded text, written here and compared bytewise by the database: a
change here needs a migration that rewrites them (places.street.folded, twin.asset.folded,
twin.word), such as 0015.
"""

import unicodedata
from functools import lru_cache

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
