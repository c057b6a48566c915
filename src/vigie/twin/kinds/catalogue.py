"""The kinds of this installation: filled once, by the composition, from what the rooms declare.

Nothing below a trade names a kind. The catalogue refuses to be read before it is filled and to be
changed afterwards: what was worked out from it stays true for the life of the process.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import cache
from typing import ParamSpec, TypeVar

from vigie.twin.kinds.declare import Command, Kind, Point, faults_of

P = ParamSpec("P")
T = TypeVar("T")

_kinds: dict[str, Kind] = {}
_derived: list[Callable[[], None]] = []


def install(kinds: Iterable[Kind]) -> None:
    """Fill the catalogue; the same kinds again change nothing.

    Raises ValueError for a faulty declaration, RuntimeError when it holds other kinds already.
    """
    wanted = {kind.name: kind for kind in _checked(list(kinds))}
    if _kinds and _kinds != wanted:
        raise RuntimeError("the catalogue of kinds is filled, and does not change afterwards")
    _kinds.update(wanted)


def kinds() -> Mapping[str, Kind]:
    """Every kind by its name. Raises RuntimeError before the composition filled the catalogue."""
    if not _kinds:
        raise RuntimeError("the catalogue of kinds is not filled yet: app.install_kinds does it")
    return _kinds


def kind(name: str) -> Kind | None:
    """A kind; None when no room of this installation declares it."""
    return kinds().get(name)


def derived(function: Callable[P, T]) -> Callable[P, T]:
    """Of what is worked out from the catalogue: once for each argument, as long as it holds."""
    cached = cache(function)
    _derived.append(cached.cache_clear)
    return cached  # type: ignore[return-value]


@derived
def trades() -> tuple[str, ...]:
    """The trades that have equipment, in alphabetical order."""
    return tuple(sorted({kind.trade for kind in kinds().values()}))


@derived
def commands() -> Mapping[str, Command]:
    """Every command by its verb: kinds that share a verb share its declaration."""
    return {command.verb: command for kind in kinds().values() for command in kind.commands}


@derived
def able(verb: str) -> frozenset[str]:
    """The kinds that know a command."""
    return frozenset(name for name, kind in kinds().items() if kind.command(verb) is not None)


@contextmanager
def instead(others: Iterable[Kind]) -> Generator[None]:
    """Other kinds for a while: a test that plays another installation."""
    wanted = {kind.name: kind for kind in _checked(list(others))}
    before = dict(_kinds)
    _replace(wanted)
    try:
        yield
    finally:
        _replace(before)


def _replace(wanted: Mapping[str, Kind]) -> None:
    _kinds.clear()
    _kinds.update(wanted)
    for forget in _derived:
        forget()


def _checked(wanted: list[Kind]) -> list[Kind]:
    names = [kind.name for kind in wanted]
    faults = [f"{name}: two kinds have this name" for name in names if names.count(name) > 1]
    verbs: dict[str, tuple[Command, list[Point | None]]] = {}
    for kind in wanted:
        faults += [f"{kind.name}: {fault}" for fault in faults_of(kind)]
        for command in kind.commands:
            shown = [kind.point(p) for p in (*command.shows.values(), *command.sets)]
            if verbs.setdefault(command.verb, (command, shown)) != (command, shown):
                faults.append(f"{kind.name}: {command.verb} is declared otherwise elsewhere")
    if faults:
        raise ValueError("; ".join(dict.fromkeys(faults)))
    return wanted
