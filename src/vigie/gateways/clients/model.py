"""Structs of clients: whoever speaks to the platform for devices, what was refused of them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

ClientKind = Literal["site", "device"]
Clock = Literal["device", "server"]
# The streams by which clients' messages come: the MQTT broker's own, and what others accept.
BROKER, ACCEPTED = 0, 1


class Issued(msgspec.Struct, frozen=True):
    """A client and its secret, shown this once."""

    token: str
    secret: str
    shard: int
    name: str


class Known(msgspec.Struct, frozen=True):
    """A client as the login check knows it."""

    id: int
    token: str
    protocol: str
    stream: int
    shard: int
    secret_sha256: bytes
    revoked: bool
    name: str


class Gateway(msgspec.Struct, frozen=True):
    """A client, how it is and what came of its messages: `parked` ones wait behind the others,
    and until `held_until` it may not log in, since it sent more than its share. `skew_s` is how far
    its clock is ahead (median of ten minutes); `clock` whose time dates its messages; `maturity`
    that of its protocol's adapter, "" for one that this installation has switched off."""

    token: str
    name: str
    kind: ClientKind
    protocol: str
    clock: Clock
    skew_s: float | None
    municipality: str
    trade: str
    devices: int
    online: bool
    since: datetime | None
    last_seen: datetime | None
    messages: int
    quarantined: int
    refused: int
    parked: int
    held_until: datetime | None
    revoked: datetime | None
    maturity: str = ""


class Tally(msgspec.Struct, frozen=True):
    """How often one reason was met within an hour."""

    hour: datetime
    place: Literal["broker", "quarantine"]
    code: str
    total: int
    last: datetime
    detail: str


class Quarantined(msgspec.Struct, frozen=True):
    """A message the platform refused; `payload` is base64 of its first 4 KiB."""

    id: int
    received: datetime
    source: str
    topic: str
    code: str
    params: dict[str, Any]
    payload: bytes
    size: int
    asset: int | None
    replayed: datetime | None = None


class Refused(msgspec.Struct, frozen=True):
    """What the ingest hands to quarantine."""

    source: str
    topic: str
    code: str
    params: dict[str, Any]
    payload: bytes
    size: int
    received: datetime
    asset: int | None = None


class OutCommand(msgspec.Struct, frozen=True):
    """A command on its way to a device; `client` is the token of the gateway that carries it, and
    `device` the device's own, or the name that the client has for it."""

    protocol: str
    client: str
    device: str
    id: UUID
    verb: str
    params: dict[str, Any]
    issued_at: datetime
    expires_at: datetime


class Secret(msgspec.Struct, frozen=True):
    """A secret shown once, after a rotation."""

    token: str
    secret: str
