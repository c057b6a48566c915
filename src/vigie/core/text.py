"""Text as people type it: no case, no accents, no punctuation.

Search and sort columns hold folded text, written here and compared bytewise by the database.
"""

import unicodedata
from functools import lru_cache

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
