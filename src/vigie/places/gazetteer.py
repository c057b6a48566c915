"""Finding streets and municipalities by name, as people type: in memory, a few thousand names.

Every word typed must start a word of the name, in any of its spellings and any order; words such
as "rue" give way when nothing has them all. Ranked: the name itself, then names that start with the
words typed, then whole words in order, then the rest; shorter names first.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

from vigie.core.geometry import BBox
from vigie.core.text import fold, spellings, successor, words
from vigie.places.model import PlaceHit, Point

CANDIDATES = 1000
# "rue de la liberté" is looked for as "liberté" when there is no such street but an avenue.
_TYPES = "rue avenue boulevard place allee chemin impasse route quai cours passage square ruelle"
_SHORT = "av bd bvd pl all che imp rte r de du des la le les l d"
GENERIC = frozenset(f"{_TYPES} {_SHORT}".split())


class Named(msgspec.Struct, frozen=True):
    """Something with a name and a place."""

    type: Literal["street", "municipality"]
    id: str
    label: str
    detail: str
    folded: str
    point: Point
    bbox: BBox | None
    weight: float = 0.0


class Gazetteer:
    """An index over names; built once for a state of the territory."""

    def __init__(self, entries: Iterable[Named]) -> None:
        self._entries = sorted(entries, key=lambda e: (e.folded, e.detail, e.id))
        self._folded = [e.folded for e in self._entries]
        places: dict[str, list[int]] = {}
        for number, entry in enumerate(self._entries):
            for word in {*spellings(entry.label), *spellings(entry.detail)}:
                places.setdefault(word, []).append(number)
        self._words = sorted(places)
        self._places = [places[w] for w in self._words]

    def __len__(self) -> int:
        return len(self._entries)

    def names(self, type_: str, folded: Collection[str]) -> list[str]:
        """The names, as written, whose folded form is one of these."""
        found: set[str] = set()
        for text in folded:
            at = bisect_left(self._folded, text)
            while at < len(self._entries) and self._folded[at] == text:
                if self._entries[at].type == type_:
                    found.add(self._entries[at].label)
                at += 1
        return sorted(found)

    def search(self, text: str, limit: int = 10) -> list[PlaceHit]:
        """The best matches, best first."""
        asked = words(text[:200])[:12]
        if not asked or limit < 1:
            return []
        found = self._with_all(asked)
        if not found:
            found = self._with_all([word for word in asked if word not in GENERIC])
        # "st" is a saint or the start of a stade: whichever suits the name better.
        full = fold(" ".join(asked))
        candidates = self._few(found, full)
        readings = [asked] if full == " ".join(asked) else [asked, full.split()]
        scored = [(max(self._score(self._entries[n], r) for r in readings), n) for n in candidates]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        return [self._hit(self._entries[n], score) for score, n in scored[:limit]]

    def _with_all(self, asked: Sequence[str]) -> set[int]:
        found: set[int] | None = None
        for word in sorted(set(asked), key=len, reverse=True):
            matching = self._starting_with(word)
            found = matching if found is None else found & matching
            if not found:
                break
        return found or set()

    def _starting_with(self, word: str) -> set[int]:
        start = bisect_left(self._words, word)
        end = bisect_left(self._words, successor(word))
        return set[int]().union(*self._places[start:end])

    def _few(self, found: set[int], text: str) -> list[int]:
        """No more than can be ranked at once; names that start as typed come first."""
        if len(found) <= CANDIDATES:
            return sorted(found)
        start = bisect_left(self._folded, text)
        first = range(start, min(bisect_left(self._folded, successor(text)), start + CANDIDATES))
        return list(first) + sorted(found.difference(first))[: CANDIDATES - len(first)]

    @staticmethod
    def _score(entry: Named, asked: Sequence[str]) -> float:
        name = entry.folded.split()
        score = 0.0
        if name == list(asked):
            score += 100
        if entry.folded.startswith(" ".join(asked)):
            score += 40
        whole = sum(word in name for word in asked)
        score += 10 * whole / len(asked)
        if any(word not in name and not any(n.startswith(word) for n in name) for word in asked):
            score -= 20
        at = [_place(name, word) for word in asked]
        if at == sorted(at):
            score += 5
        score += 10 * min(len(asked) / max(len(name), 1), 1)
        if entry.type == "municipality":
            score += 15
        return score + entry.weight

    @staticmethod
    def _hit(entry: Named, score: float) -> PlaceHit:
        return PlaceHit(
            entry.type, entry.id, entry.label, entry.detail, entry.point, entry.bbox, score
        )


def _place(name: list[str], word: str) -> int:
    return next((i for i, n in enumerate(name) if n.startswith(word)), len(name))
