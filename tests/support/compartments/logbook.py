"""An entry of the room's log, corrected and handed over."""

from tests.support.compartments import COMPARTMENT, MUNICIPALITY, Hidden
from vigie.core.database import Unit
from vigie.core.objects import Ref
from vigie.logbook import ShiftHandOver, WriteEntry, hand_over, service
from vigie.logbook.model import Correction


async def make(unit: Unit, word: str) -> Hidden:
    """Everything that is written about it holds the word."""
    entry = await service.write(
        unit,
        WriteEntry(
            text=f"Seen {word}", municipality=MUNICIPALITY, compartment=COMPARTMENT,
            follow_up=True, unit=word,
        ),
    )  # fmt: skip
    beside = await service.correct(unit, entry.id, Correction(f"Not {word}"))
    await hand_over(unit, entry.shift, ShiftHandOver(f"Mind {word}"), None)
    return Hidden(Ref("logbook.entry", str(entry.id)), (str(beside.id), str(entry.shift)))
