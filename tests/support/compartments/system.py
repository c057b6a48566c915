"""An object in a compartment that somebody looks at and has taken (core.desk)."""

from tests.support.compartments import Hidden, logbook
from vigie.core.database import Unit
from vigie.core.desk import service as desk
from vigie.core.desk.model import Taking


async def make(unit: Unit, word: str) -> Hidden:
    """What is taken is an entry of the log: presence and locks have no words of their own."""
    hidden = await logbook.make(unit, word)
    await desk.look(unit, hidden.ref)
    await desk.take(unit, Taking(hidden.ref))
    return hidden
