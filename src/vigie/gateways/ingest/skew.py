"""How far clients' clocks are off: the median of (their time − time of receipt), for each client.

One reading in ten seconds counts, over ten minutes: a backlog that is sent at once after an outage
is one or two of them. A device that measures and sends later seems slow by as much.
"""

from collections import deque
from statistics import median

_EVERY_NS = 10_000_000_000
_KEPT = 61
_MOST = 20_000


class Skews:
    """What one lane sees of its clients' clocks."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}
        self._at: dict[str, int] = {}
        self._new: set[str] = set()

    def add(self, client: str, received_ns: int, skew_us: int) -> None:
        """A reading's own time against that of its receipt."""
        if received_ns - self._at.get(client, -_EVERY_NS) < _EVERY_NS:
            return
        if len(self._seen) > _MOST:
            self._seen.clear()
            self._at.clear()
        self._at[client] = received_ns
        self._seen.setdefault(client, deque(maxlen=_KEPT)).append(skew_us / 1e6)
        self._new.add(client)

    @property
    def pending(self) -> bool:
        """True when there is something new to write down."""
        return bool(self._new)

    def medians(self) -> dict[str, float]:
        """In seconds, of those with something new since the last time."""
        new, self._new = self._new, set()
        return {client: median(self._seen[client]) for client in new if client in self._seen}
