"""What a shift may live through, and what of it is still open. Pure."""

from collections.abc import Iterable
from uuid import UUID

from vigie.core.states import Demand, Machine
from vigie.logbook.model import LogEntry

SHIFT = Machine(
    "logbook.shift",
    """
                hand_over   take
    open        handed      -
    handed      .           closed
    closed      -           .
    """,
    demands={"hand_over": Demand(reason=True)},
)


def still_open(entries: Iterable[LogEntry]) -> list[LogEntry]:
    """Entries that asked to be followed up and that nobody settled, oldest first."""
    asked: dict[UUID, LogEntry] = {}
    settled: set[UUID] = set()
    for entry in entries:
        if entry.follow_up:
            asked[entry.id] = entry
        if entry.settles and entry.of is not None:
            settled.add(entry.of)
    waiting = (entry for key, entry in asked.items() if key not in settled)
    return sorted(waiting, key=lambda entry: (entry.at, entry.number))
