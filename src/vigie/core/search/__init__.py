"""Search over every object: what rooms put into it, and what a person finds.

    await search.put(unit, "logbook.entry", str(entry.id), title=…, words=[text], at=entry.at, …)
    await search.drop(unit, "logbook.entry", str(entry.id))
    await search.find(unit, "lampe foch", 12)

A room keeps its objects' rows up to date in its own verbs, in the same transaction; the type is
one that it declares (see core.objects), whose permission and address the search uses. A room that
has an index of its own (places, equipment) declares a `Source` instead: `search="…:SOURCES"`.
"""

from vigie.core.search.finding import find
from vigie.core.search.keeping import drop, put, put_many
from vigie.core.search.model import Entry, Found, FoundList, Hit, Source

__all__ = [
    "Entry",
    "Found",
    "FoundList",
    "Hit",
    "Source",
    "drop",
    "find",
    "put",
    "put_many",
]
