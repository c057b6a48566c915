"""What a tracker or radio says, as the way in takes it, and why something said is refused.

The shapes are those of the neutral way in: `client` is the client that speaks, `device` the token
of the equipment or the name that its client has for it. Times are in milliseconds since 1970.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Malformed(ValueError):
    """What a peer sent is not what its protocol says. `code` is a message key."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Positions(msgspec.Struct, tag="p", array_like=True, gc=False):
    """Where a device was (WGS 84); `valid` is what its receiver says of the fix."""

    client: str
    device: str
    at: int
    lon: float
    lat: float
    altitude: float | None = None
    speed_m_s: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    satellites: int | None = None
    valid: bool = True


class Events(msgspec.Struct, tag="e", array_like=True, gc=False):
    """Something that happened at a device. `id` is the peer's own number of it, when it has one."""

    client: str
    device: str
    at: int
    name: str
    fields: dict[str, str | float | bool | None] = {}
    id: str = ""


Message = Positions | Events


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
