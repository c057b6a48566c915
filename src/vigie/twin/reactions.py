"""What the registry does when the territory under it changes, and what wakes the live pictures."""

from vigie.core.database import Unit
from vigie.core.journal import Entry, Reaction
from vigie.twin.changing import relocate
from vigie.twin.live.reactions import REACTIONS as LIVE


async def _relocate(unit: Unit, entry: Entry) -> None:
    await relocate(unit)


REACTIONS = [
    Reaction(
        "twin.relocate",
        frozenset({"places.installed", "places.streets_imported", "places.contours_imported"}),
        _relocate,
        # A territory may be installed before anything runs for the first time.
        from_now=False,
    ),
    *LIVE,
]
