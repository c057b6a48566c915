"""What the rooms of this installation declare together, as a unit of work may ask for it.

    unit.house.catalogue.scope_for(unit.principal, "logbook.read")
    unit.house.part("verbs")

Built once a process from its list of rooms; each part is loaded when it is first asked for. What
an installation edits of its roles comes from core.access.roles while the process runs.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from vigie.core.permissions import Catalogue, RoleEdit
from vigie.core.rooms import Rooms


class House:
    """The rooms of one process and what they declare, by kind of declaration."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        # Of the city, as its territory pack says; the composition sets it.
        self.zone = ZoneInfo("UTC")
        self._parts: dict[str, dict[str, Any]] = {}
        self._edits: tuple[RoleEdit, ...] = ()
        self._edited: Catalogue | None = None
        self._watchers: list[Callable[[tuple[RoleEdit, ...]], None]] = []

    @cached_property
    def _declared(self) -> Catalogue:
        return Catalogue(self.rooms.permissions, self.rooms.roles)

    @property
    def catalogue(self) -> Catalogue:
        """Who may do what, as of now: the installation's own roles are laid over."""
        return self._edited or self._declared

    def edit_roles(self, edits: Iterable[RoleEdit]) -> None:
        """Lay the installation's roles over those that rooms declare, in place of earlier ones."""
        edits = tuple(edits)
        if edits == self._edits:
            return
        self._edits, self._edited = edits, self._declared.with_roles(edits)
        for watcher in self._watchers:
            watcher(edits)

    def watch_roles(self, watcher: Callable[[tuple[RoleEdit, ...]], None]) -> None:
        """Call this with the installation's roles, now and each time they change."""
        self._watchers.append(watcher)
        watcher(self._edits)

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
