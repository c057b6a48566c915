"""Equipment came, went or moved: the live pictures and the ingest's registry are read again."""

from vigie.core.database import Unit
from vigie.core.journal import Entry, Reaction

CHANGED = "twin"


async def _wake(unit: Unit, entry: Entry) -> None:
    unit.wake(CHANGED)


REACTIONS = [
    Reaction(
        "twin.live",
        frozenset({"twin.equipment_imported", "twin.relocated", "twin.asset_changed"}),
        _wake,
    )
]
