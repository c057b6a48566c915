"""What the kinds of this installation declare of events."""

from collections.abc import Iterator

from vigie.twin import kinds
from vigie.twin.kinds import Event


def event_of(kind: str, name: str) -> Event | None:
    """The declaration of an event of a kind; None when there is none."""
    declared = kinds.kind(kind)
    return None if declared is None else declared.event(name)


def every() -> Iterator[tuple[str, Event]]:
    """All of them, with the kind's name."""
    for name, kind in kinds.kinds().items():
        for event in kind.events:
            yield name, event
