"""What an object is found by, and how answers share the room there is. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from vigie.core.search.model import Entry, Hit
from vigie.core.text import spellings, words

T = TypeVar("T")
LONGEST_QUERY = 200
MOST_WORDS = 8
# Of one object: a text of many pages is found by its first words.
_MOST_KEPT = 100
_LONGEST_WORD = 64


def asked_words(query: str) -> list[str]:
    """The words that an object must have, longest first, each once."""
    asked = dict.fromkeys(word[:_LONGEST_WORD] for word in words(query)[:MOST_WORDS])
    return sorted(asked, key=lambda word: (-len(word), word))


def kept_words(entry: Entry) -> list[str]:
    """The words that an object is found by."""
    texts = (entry.number, entry.title, *entry.words)
    found = spellings(" ".join(text[:5000] for text in texts).replace("\0", " "))
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found[:_MOST_KEPT]))


def share(groups: Mapping[str, Sequence[T]], limit: int) -> dict[str, list[T]]:
    """The first of each group in turn until there is no more room: what is found often never
    hides what is found once."""
    shared: dict[str, list[T]] = {name: [] for name in groups}
    left = limit
    for n in range(max(map(len, groups.values()), default=0)):
        for name, members in groups.items():
            if left and n < len(members):
                shared[name].append(members[n])
                left -= 1
    return {name: members for name, members in shared.items() if members}


def exact_first(groups: Mapping[str, Sequence[Hit]]) -> dict[str, list[Hit]]:
    """Exact answers first in their group, and groups that have one before the others."""
    ordered = {n: sorted(hits, key=lambda hit: not hit.exact) for n, hits in groups.items()}
    names = sorted(ordered, key=lambda name: not any(hit.exact for hit in ordered[name]))
    return {name: ordered[name] for name in names}
