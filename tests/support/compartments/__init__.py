"""One object in a compartment, for each room that has any: what tests/vigie/test_compartments.py
hides from people outside.

A room whose tables have a column `compartment` has a module here, named after it:

    async def make(unit: Unit, word: str) -> Hidden:
        '''Everything that people write about it holds the word.'''
        entry = await logbook.write(unit, WriteEntry(text=word, compartment=COMPARTMENT, …))
        return Hidden(Ref("logbook.entry", str(entry.id)), (str(entry.shift),))

The unit's principal opens the compartment, over the whole city.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module

import msgspec

from vigie.core.database import Unit
from vigie.core.objects import Ref

COMPARTMENT = "secret_matters"
MUNICIPALITY = "21231"


class Hidden(msgspec.Struct, frozen=True):
    """What was made: the object, and further ids that belong to it."""

    ref: Ref
    ids: tuple[str, ...] = ()


Maker = Callable[[Unit, str], Awaitable[Hidden]]


def maker_of(room: str) -> Maker:
    """The room's maker. Raises ModuleNotFoundError."""
    return import_module(f"tests.support.compartments.{room}").make
