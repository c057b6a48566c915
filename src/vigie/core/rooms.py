"""What a room says of itself, and the list of rooms that an installation is made of.

    ROOM = Room(
        name="logbook", floor="operations", schemas=("logbook",), permissions=PERMISSIONS,
        routes="vigie.logbook.api:ROUTES", reactions="vigie.logbook.reactions:REACTIONS",
        services={"watch": "vigie.logbook.watch:services"},
    )

Everything that knows several rooms (routes, permissions, the database's shape and grants, the
layers of imports, reactions, search, live topics …) reads this list. What a process does not need
it does not import: a room names its parts by strings, `module:attribute`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from vigie.core.permissions import Permission, Role

Floor = Literal[
    "core", "base", "twin", "gateways", "protocol", "control", "supervision", "automation",
    "operations", "trade",
]  # fmt: skip
# From the ground up. Rooms of the floors in SIDE_BY_SIDE do not import each other: they meet in
# core/verbs and core/links.
FLOORS: tuple[Floor, ...] = get_args(Floor)
SIDE_BY_SIDE: frozenset[Floor] = frozenset({"base", "protocol", "operations", "trade"})

Process = Literal["gateways", "ingest", "watch", "jobs", "api", "public"]
PROCESSES: tuple[Process, ...] = get_args(Process)


class Personal(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data that a room keeps, as a register of processing asks (GDPR, article 30).

    `export` and `erase` name functions `(unit, subject) -> …`; `retention` is a sentence.
    """

    what: str
    purpose: str
    basis: str
    retention: str
    recipients: str
    export: str = ""
    erase: str = ""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """One room's declaration. Strings name what is loaded by the process that needs it."""

    name: str
    floor: Floor
    # The package, when it is not vigie.<name>.
    package: str = ""
    # Database schemas whose tables are the room's; its migrations are in `migrations/` beside it,
    # unless they are among the spine's.
    schemas: tuple[str, ...] = ()
    migrations: bool = False
    # Tables ("schema.table") whose rows the runtime may add and never change or delete.
    append_only: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    roles: tuple[Role, ...] = ()
    routes: str = ""
    # What it shows to everyone, in the process `public`, and what that process may do to its
    # tables: {"places.meta": "select"}.
    public: str = ""
    public_tables: Mapping[str, str] = {}
    reactions: str = ""
    jobs: str = ""
    topics: str = ""
    verbs: str = ""
    objects: str = ""
    search: str = ""
    # Words of messages to people: core.templates.
    templates: str = ""
    kinds: str = ""
    # The protocols that it speaks: gateways.clients.Adapter.
    adapters: str = ""
    # Rules that may refuse an order: control.interlocks.
    interlocks: str = ""
    personal: tuple[Personal, ...] = ()
    # What each process runs: process → "module:function", called with the Runtime.
    services: Mapping[Process, str] = {}
    # Rooms without which this one cannot be.
    needs: tuple[str, ...] = ()
    # A village may do without: VIGIE_ROOMS_OFF may name it.
    optional: bool = False

    @property
    def module(self) -> str:
        """Its package's name."""
        return self.package or f"vigie.{self.name}"

    @property
    def folder(self) -> Path:
        """Its package's folder."""
        return Path(next(iter(import_module(self.module).__path__)))


class Rooms(Sequence[Room]):
    """The rooms of an installation, from the ground up. Raises ValueError on a faulty list."""

    def __init__(self, rooms: Iterable[Room]) -> None:
        self._rooms = tuple(rooms)
        seen: set[str] = set()
        for room in self._rooms:
            if room.name in seen:
                raise ValueError(f"two rooms are named {room.name!r}")
            missing = [need for need in room.needs if need not in seen]
            if missing:
                raise ValueError(f"room {room.name!r} needs {missing[0]!r} before it in the list")
            seen.add(room.name)
        _demand_unique("schema", (s for room in self._rooms for s in room.schemas))

    def __getitem__(self, index: Any) -> Any:
        return self._rooms[index]

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms)

    def named(self, name: str) -> Room:
        """One room. Raises KeyError."""
        return next(room for room in self._rooms if room.name == name)

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What every room lets people do."""
        return tuple(p for room in self._rooms for p in room.permissions)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that rooms name beside core's four."""
        return tuple(role for room in self._rooms for role in room.roles)

    def collect(self, part: str) -> tuple[Any, ...]:
        """One part of every room, in one tuple: `rooms.collect("reactions")`."""
        found: list[Any] = []
        for room in self._rooms:
            if reference := getattr(room, part):
                found += loaded(reference)
        return tuple(found)

    def services(self, process: Process, runtime: Any) -> dict[str, Callable[[], Any]]:
        """What a process runs, by name. Raises ValueError when two rooms use one name."""
        running: dict[str, Callable[[], Any]] = {}
        for room in self._rooms:
            if reference := room.services.get(process):
                for name, service in loaded(reference)(runtime).items():
                    if name in running:
                        raise ValueError(f"two services of {process} are named {name!r}")
                    running[name] = service
        return running

    def without(self, names: Iterable[str]) -> "Rooms":
        """The same without some optional rooms. Raises ValueError for one that must stay."""
        off = frozenset(names)
        for name in sorted(off):
            room = next((r for r in self._rooms if r.name == name), None)
            if room is None:
                known = ", ".join(r.name for r in self._rooms if r.optional) or "none"
                raise ValueError(f"there is no room {name!r}; those that may be off: {known}")
            if not room.optional:
                raise ValueError(f"the room {name!r} cannot be switched off")
            needed = [r.name for r in self._rooms if name in r.needs and r.name not in off]
            if needed:
                raise ValueError(f"the room {name!r} is needed by {needed[0]!r}")
        return Rooms(room for room in self._rooms if room.name not in off)


def loaded(reference: str) -> Any:
    """What `module:attribute` names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def _demand_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two rooms declare the {what} {name!r}")
        seen.add(name)
