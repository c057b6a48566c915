"""Who may speak: clients by token and secret, trackers by their number; asked of the database and
remembered for a few seconds, so that a revoked client is out soon after."""

import asyncio
import hashlib
import hmac
import time

import msgspec
from sqlalchemy import text

from vigie.core.database import Database
from vigie.gateways.positions.model import Client

FRESH_S = 15.0
_MOST = 20_000
_LOOKUPS = 4
"""At once: a storm of logins leaves connections for what is to be stored."""

_CLIENT = """
select c.token, c.secret_sha256, c.kind = 'device' as single,
 array(select a.token from gateways.device d join twin.asset a on a.id = d.asset
  where d.client = c.id order by a.id limit 2) as devices
from gateways.client c
"""
_BY_TOKEN = text(f"{_CLIENT} where c.token = :token and c.revoked is null and c.stream = 1")
_BY_IDENTITY = text(
    f"{_CLIENT} join gateways.tracker t on t.client = c.id"
    " where t.protocol = :protocol and t.identity = :identity"
    " and c.revoked is null and c.stream = 1"
)


class _Known(msgspec.Struct, frozen=True):
    client: Client
    digest: bytes


class Registry:
    """The clients of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, str], tuple[float, _Known | None]] = {}
        self._asking = asyncio.Semaphore(_LOOKUPS)

    async def login(self, token: str, secret: str) -> Client | None:
        """The client with this token and secret; None when there is none or it was revoked."""
        known = await self._find("", token)
        digest = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
        if known is None or not hmac.compare_digest(known.digest, digest):
            return None
        return known.client

    async def by_identity(self, protocol: str, identity: str) -> Client | None:
        """The client of a tracker that has a number and no secret."""
        known = await self._find(protocol, identity)
        return None if known is None else known.client

    async def _find(self, protocol: str, name: str) -> _Known | None:
        key = (protocol, name)
        at, known = self._known.get(key, (-FRESH_S, None))
        if time.monotonic() - at < FRESH_S:
            return known
        async with self._asking:
            known = await self._ask(protocol, name)
        if len(self._known) > _MOST:
            self._known.clear()
        self._known[key] = (time.monotonic(), known)
        return known

    async def _ask(self, protocol: str, name: str) -> _Known | None:
        if "\0" in name:
            return None
        async with self._database.unit() as unit:
            if protocol:
                found = await unit.execute(_BY_IDENTITY, {"protocol": protocol, "identity": name})
            else:
                found = await unit.execute(_BY_TOKEN, {"token": name})
            row = found.one_or_none()
        if row is None:
            return None
        # A client that carries one device speaks for it without naming it.
        device = row.devices[0] if row.single and len(row.devices) == 1 else ""
        return _Known(Client(row.token, device), bytes(row.secret_sha256))
