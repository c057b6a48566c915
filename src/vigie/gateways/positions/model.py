"""What a tracker or radio says, as the way in takes it, and why something said is refused.

The shapes are those of the neutral way in: `client` is the client that speaks, `device` the token
of the equipment or the name that its client has for it. Times are in milliseconds since 1970.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from vigie.gateways.ingest import Events, Positions, Readings


class Malformed(ValueError):
    """What a peer sent is not what its protocol says. `code` is a message key."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


Message = Readings | Events | Positions


class Client(msgspec.Struct, frozen=True):
    """Who logged in: the token of a client, and the device it is itself ("" for a gateway that
    speaks for several)."""

    token: str
    device: str = ""


class Accept(Protocol):
    """The way in: durable when it returns. Raises Unavailable when it cannot be now; then nothing
    is acknowledged, and the peer sends it again."""

    async def __call__(self, messages: Sequence[Message], /) -> None:
        """Take messages of one client."""
        ...


class Clients(Protocol):
    """Who may speak."""

    async def login(self, token: str, secret: str) -> Client | None:
        """The client with this token and secret; None when there is none or it was revoked."""
        ...

    async def by_identity(self, protocol: str, identity: str) -> Client | None:
        """The client of a tracker that has a number (IMEI) and no secret."""
        ...
