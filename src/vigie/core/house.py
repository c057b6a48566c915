"""What the rooms of this installation declare together, as a unit of work may ask for it.

    unit.house.catalogue.scope_for(unit.principal, "logbook.read")
    unit.house.part("verbs")

Built once a process from its list of rooms; each part is loaded when it is first asked for.
"""

from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from vigie.core.permissions import Catalogue
from vigie.core.rooms import Rooms


class House:
    """The rooms of one process and what they declare, by kind of declaration."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        # Of the city, as its territory pack says; the composition sets it.
        self.zone = ZoneInfo("UTC")
        self._parts: dict[str, dict[str, Any]] = {}

    @cached_property
    def catalogue(self) -> Catalogue:
        """Who may do what."""
        return Catalogue(self.rooms.permissions, self.rooms.roles)

    def part(self, part: str) -> dict[str, Any]:
        """Every declaration of a kind (verbs, jobs, topics, objects …) by its name.

        Raises ValueError when two rooms use one name.
        """
        if part not in self._parts:
            named: dict[str, Any] = {}
            for declared in self.rooms.collect(part):
                if declared.name in named:
                    raise ValueError(f"two {part} are named {declared.name!r}")
                named[declared.name] = declared
            self._parts[part] = named
        return self._parts[part]
