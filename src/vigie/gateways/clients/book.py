"""The clients and their digests in memory, so that a storm of logins asks the database nothing."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from nats.aio.msg import Msg
from sqlalchemy import text

from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime
from vigie.gateways.clients.model import Known

CHANGED = "gateways.changed"
_COLUMNS = """
    select id, token, protocol, stream, shard, secret_sha256, revoked is not null, name
    from gateways.client"""


def digest(secret: str) -> bytes:
    """What is stored of a secret. A plain hash is enough for 256 random bits, and thousands of
    devices may come back at the same moment."""
    return hashlib.sha256(secret.encode()).digest()


class Book:
    """Every client by token; kept true by `gateways.changed` and re-read once a minute.

    `on_void` hears of clients whose credential is void now: revoked, removed or rotated.
    """

    def __init__(
        self, runtime: Runtime, on_void: Callable[[list[str]], Awaitable[None]] | None = None
    ) -> None:
        self._runtime = runtime
        self._on_void = on_void
        self._changes = 0
        self.clients: dict[str, Known] = {}
        self.ready = False

    def get(self, token: str) -> Known | None:
        """The client of that token."""
        return self.clients.get(token)

    async def load(self) -> None:
        """Read every client."""
        before = self._changes
        async with self._runtime.database.unit() as unit:
            rows = (await unit.execute(text(_COLUMNS))).all()
        if self._changes != before and self.ready:
            # Something newer was read meanwhile; the next round has it all.
            return
        old, self.clients = self.clients, {row.token: _known(row) for row in rows}
        self.ready = True
        await self._void(old.values())

    async def refresh(self, tokens: Iterable[str]) -> None:
        """Read some clients again."""
        wanted = list(tokens)
        async with self._runtime.database.unit() as unit:
            rows = (
                await unit.execute(
                    text(_COLUMNS + " where token = any(:tokens)"), {"tokens": wanted}
                )
            ).all()
        self._changes += 1
        old = [self.clients.pop(token) for token in wanted if token in self.clients]
        self.clients.update((row.token, _known(row)) for row in rows)
        await self._void(old)

    async def keep(self) -> None:
        """Service: read all once a minute: a lost message only delays."""
        component = self._runtime.component("clients")
        while True:
            try:
                await self.load()
                component.set("ok", clients=len(self.clients))
            except Unavailable:
                # Who is known may go on logging in.
                component.set("degraded", "database_unavailable")
                await asyncio.sleep(2)
                continue
            await asyncio.sleep(60)

    async def _void(self, old: Iterable[Known]) -> None:
        void = [known.token for known in old if self._voided(known)]
        if void and self._on_void:
            await self._on_void(void)

    def _voided(self, old: Known) -> bool:
        new = self.clients.get(old.token)
        if new is None or (new.revoked and not old.revoked):
            return True
        return new.secret_sha256 != old.secret_sha256


def matches(known: Known, secret: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(known.secret_sha256, digest(secret))


def changed_tokens(message: Msg) -> list[str]:
    """The tokens a `gateways.changed` message names; empty for "anything"."""
    try:
        return msgspec.json.decode(message.data, type=list[str])
    except msgspec.MsgspecError:
        return []


def _known(row: Any) -> Known:
    identity, token, protocol, stream, shard, secret, revoked, name = row
    return Known(identity, token, protocol, stream, shard, bytes(secret), revoked, name)
