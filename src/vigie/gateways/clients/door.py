"""What a protocol's door shows of itself: who is connected, what each sent, what waits behind it.

The rooms above speak of connections in these words; the protocol's room implements the two
`Protocol`s (MQTT: sessions.py and admission.py).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

# (server, number): unique for as long as the server lives.
Connection = tuple[str, int]


class Traffic(msgspec.Struct, frozen=True):
    """What came in on one connection so far, whatever became of it."""

    token: str
    messages: int
    bytes: int


class Change(msgspec.Struct, frozen=True):
    """A client came or went."""

    token: str
    online: bool
    at: datetime
    address: str
    reason: str


class StreamState(msgspec.Struct, frozen=True):
    """How full a stream of messages is that wait to be stored."""

    messages: int
    bytes: int
    limit: int

    @property
    def share(self) -> float:
        """0 when empty, 1 when it refuses."""
        return self.bytes / self.limit if self.limit > 0 else 0.0


class Connections(Protocol):
    """The connections of one protocol."""

    listeners: list[Callable[[Change], None]]
    on_gone: Callable[[Connection, Traffic], None]

    @property
    def known(self) -> bool:
        """True when comings and goings are seen at all."""
        ...

    @property
    def of(self) -> Mapping[str, set[Connection]]:
        """The connections of each client."""
        ...

    async def refresh(self) -> None:
        """Compare with the truth, and correct what is remembered."""
        ...

    async def traffic(self) -> dict[Connection, Traffic] | None:
        """What each connection received so far; None when that is not known."""
        ...

    async def kick(self, tokens: Iterable[str]) -> int:
        """Disconnect clients now; how many connections that were."""
        ...


class Backlog(Protocol):
    """What waits behind the door."""

    @property
    def stream(self) -> StreamState:
        """How full the stream is, as last seen."""
        ...

    async def waiting(self) -> dict[str, int]:
        """How many messages of each client wait. Raises Unavailable."""
        ...
