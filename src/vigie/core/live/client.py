"""One socket's side in the hub: what it may see, what it asked for, what waits to be sent."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping

from vigie.core.live import frames
from vigie.core.scope import Scope

MOST_WAITING = 50


class Client:
    """One socket. `grants`: where it holds each permission that a topic asks; those it holds
    nowhere are left out."""

    def __init__(self, grants: Mapping[str, Scope]) -> None:
        self.grants = dict(grants)
        self.subscribed = False
        self.wanted: frozenset[str] | None = None
        # The topics of rows it follows, and the number of the last frame of each.
        self.followed: dict[str, int] = {}
        self.lagging = False
        self.ready = asyncio.Event()
        self.idle = asyncio.Event()
        # Set when its grants may have changed.
        self.doubted = asyncio.Event()
        self._queue: deque[str] = deque()
        self._beat: str | None = None

    def push(self, frame: str) -> None:
        """Queue a frame; too many waiting turn into one new snapshot, and the client is told."""
        if self.lagging:
            return
        if len(self._queue) >= MOST_WAITING:
            self._queue.clear()
            self._queue.append(frames.LAGGING)
            self.lagging = True
        else:
            self._queue.append(frame)
        self.ready.set()

    def beat(self, frame: str) -> None:
        """Only the newest heartbeat is worth sending."""
        self._beat = frame
        self.ready.set()

    def give(self, answers: Iterable[str]) -> None:
        """Snapshots and other answers are not counted: the next wish waits until they are sent."""
        self._queue.extend(answers)
        self.idle.clear()
        self.ready.set()

    def forget(self) -> None:
        """What waits is of grants that are no more."""
        self._queue.clear()
        self.lagging = False

    @property
    def waiting(self) -> int:
        """Frames to be sent, heartbeats aside."""
        return len(self._queue)

    def take(self) -> str | None:
        """The next frame to send."""
        if self._queue:
            return self._queue.popleft()
        self.idle.set()
        beat, self._beat = self._beat, None
        return beat

    def number(self, topic: str) -> int:
        """The number of its next frame of a topic."""
        self.followed[topic] += 1
        return self.followed[topic]
