"""An act on something in a compartment that waits for a second person."""

from tests.support.compartments import COMPARTMENT, MUNICIPALITY, Hidden
from vigie.core.access import approvals
from vigie.core.database import Unit
from vigie.core.objects import Ref


async def make(unit: Unit, word: str) -> Hidden:
    """Everything that is written about it holds the word."""
    asked = await approvals.ask(
        unit,
        unit.house.catalogue,
        approvals.NewApproval(
            act="logbook.strike", object_type="logbook.entry", object_id=word,
            params={"about": word}, permission="logbook.write", municipality=MUNICIPALITY,
            compartment=COMPARTMENT, reason=word,
        ),
    )  # fmt: skip
    return Hidden(Ref("access.approval", str(asked.id)))
