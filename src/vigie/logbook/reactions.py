"""Acts of the centre that a shift reads in its log: commands to many, crises of the engines."""

from collections import Counter

from vigie.core.database import Unit
from vigie.core.journal import Entry, Reaction
from vigie.logbook import service

_MOST_PLACES = 12


async def _note(unit: Unit, entry: Entry) -> None:
    """A line in each log that the act concerns; in the whole city's when it concerns many."""
    keys = Counter(key for change in entry.changes for key in change.scope.split() if key)
    places = sorted(keys) if 0 < len(keys) <= _MOST_PLACES else ["/"]
    for key in places[:1] if len(places) == 1 else ["/"]:
        municipality, _, trade = key.partition("/")
        await service.write_act(unit, entry, (municipality, trade))


REACTIONS = (
    Reaction("logbook.acts", frozenset({"control.commanded", "control.cancelled"}), _note),
)
