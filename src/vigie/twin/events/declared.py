"""What the kinds of this installation declare of events."""

from collections.abc import Iterator
from typing import Any, cast

from vigie.twin.events.model import Declared
from vigie.twin.kinds import KINDS


def event_of(kind: str, name: str) -> Declared | None:
    """The declaration of an event of a kind; None when there is none."""
    return next((event for event in _events(KINDS.get(kind)) if event.name == name), None)


def every() -> Iterator[tuple[str, Declared]]:
    """All of them, with the kind's name."""
    for name, kind in KINDS.items():
        for event in _events(kind):
            yield name, event


def _events(kind: Any) -> tuple[Declared, ...]:
    return cast("tuple[Declared, ...]", getattr(kind, "events", ()))
