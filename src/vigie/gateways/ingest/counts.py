"""How many messages each client sent, written once a second and counted once each.

Kept only once a batch is committed: a batch that fails, or is halved, is not counted twice, and a
transaction that fails takes no earlier count with it.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

_EVERY_S = 1.0
# By client id: messages, and when the last was received.
Counts = dict[int, tuple[int, datetime]]


class Unwritten:
    """The counts of one lane that are not in the database yet: a crash may lose a second's."""

    def __init__(self) -> None:
        self.counts: Counts = {}
        self._written_at = 0.0

    @property
    def due(self) -> bool:
        """True when the next transaction should write them."""
        return time.monotonic() - self._written_at >= _EVERY_S

    def and_of(self, senders: Mapping[int, tuple[int, int]]) -> Counts:
        """These counts and those of one more batch: {client: (messages, time of the last, ns)}."""
        counts = dict(self.counts)
        for client, (count, last_ns) in senders.items():
            before, _ = counts.get(client, (0, None))
            counts[client] = (before + count, datetime.fromtimestamp(last_ns / 1e9, UTC))
        return counts

    def keep(self, counts: Counts, *, written: bool) -> None:
        """After a commit: `written` counts are in the database, the others wait here."""
        self.counts = {} if written else counts
        if written:
            self._written_at = time.monotonic()
