"""Who is connected, by the broker's own account; and the hand that disconnects.

Needs a login of the broker's system account. Without one (an external server that gives none)
presence is unknown, and a revoked client stays until it reconnects: `vigie doctor` says so.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
import nats.errors
from nats.aio.msg import Msg

from vigie.core import clock
from vigie.core.bus import Bus
from vigie.core.engines import ACCOUNT
from vigie.core.errors import SetupError
from vigie.core.logs import logger
from vigie.core.runtime import Runtime, nats_system_url
from vigie.gateways.clients import Change, Connection, Traffic
from vigie.gateways.mqtt.rules import CANARY

log = logger(__name__)
_PAGE = 2048
_REMEMBERED = 20_000


class _Server(msgspec.Struct, frozen=True):
    id: str


class _Client(msgspec.Struct, frozen=True):
    id: int
    user: str = ""
    client_type: str = ""
    host: str = ""


class _Received(msgspec.Struct, frozen=True):
    msgs: int = 0
    bytes: int = 0


class _Event(msgspec.Struct, frozen=True):
    server: _Server
    client: _Client
    timestamp: datetime
    reason: str = ""
    received: _Received = _Received()


class _Line(msgspec.Struct, frozen=True):
    cid: int
    ip: str = ""
    type: str = ""
    authorized_user: str = ""
    in_msgs: int = 0
    in_bytes: int = 0


class _Page(msgspec.Struct, frozen=True):
    total: int = 0
    connections: list[_Line] = []


class _Connz(msgspec.Struct, frozen=True):
    server: _Server
    data: _Page = _Page()


class Sessions:
    """The MQTT connections of the broker, kept by its connect and disconnect events."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus: Bus | None = None
        self.of: dict[str, set[Connection]] = {}
        self._token: dict[Connection, str] = {}
        self._past: OrderedDict[int, str] = OrderedDict()
        self._gone: set[Connection] = set()
        self._refreshing = asyncio.Lock()
        self.listeners: list[Callable[[Change], None]] = []
        self.unwanted: Callable[[str], bool] = lambda _token: False
        self.on_gone: Callable[[Connection, Traffic], None] = lambda _connection, _last: None

    @property
    def known(self) -> bool:
        """True when the broker tells us of connections."""
        return self._bus is not None

    async def open(self) -> None:
        """Connect to the system account, when there is one."""
        url = nats_system_url(self._runtime.settings)
        if not url:
            return
        self._bus = await Bus.connect(url, f"vigie-{self._runtime.role}-system")
        await self._bus.subscribe(f"$SYS.ACCOUNT.{ACCOUNT}.CONNECT", self._came)
        await self._bus.subscribe(f"$SYS.ACCOUNT.{ACCOUNT}.DISCONNECT", self._went)
        await self._bus.client.flush()

    async def close(self) -> None:
        """Leave."""
        if self._bus:
            await self._bus.close()
            self._bus = None

    def token_of(self, connection: int) -> str | None:
        """The client a connection number belongs, or lately belonged, to."""
        return self._past.get(connection)

    async def kick(self, tokens: Iterable[str]) -> int:
        """Disconnect clients now; how many connections that were."""
        connections = [c for token in tokens for c in self.of.get(token, ())]
        for index, connection in enumerate(connections):
            await self._kick(connection)
            if index % 500 == 499:
                await asyncio.sleep(0)
        return len(connections)

    async def kick_all(self) -> None:
        """Disconnect every device."""
        await self.refresh()
        count = await self.kick(list(self.of))
        log.warning("devices_disconnected", connections=count)

    async def _kick(self, connection: Connection) -> None:
        if self._bus is None:
            return
        server, number = connection
        with contextlib.suppress(nats.errors.Error, OSError):
            # The broker ignores a kick without a reply address; nobody waits for the answer.
            await self._bus.client.publish(
                f"$SYS.REQ.SERVER.{server}.KICK",
                msgspec.json.encode({"cid": number}),
                reply="_INBOX.vigie.kick",
            )

    async def keep(self) -> None:
        """Service: compare with the broker's own list, at start and every 30 s."""
        component = self._runtime.component("sessions")
        while True:
            if self._bus is None:
                component.set("degraded", "no_system_account")
                await asyncio.sleep(3600)
                continue
            await self.refresh()
            component.set("ok", connected=len(self.of))
            await asyncio.sleep(30)

    async def refresh(self) -> None:
        """Read the broker's list of connections and correct ours."""
        async with self._refreshing:
            before = set(self._token)
            self._gone.clear()
            listed = await self._list()
            if listed is None:
                return
            # The list is a moment old: who came or went meanwhile was told by an event.
            for connection in before & self._token.keys() - listed.keys():
                self._forget(connection, clock.now(), "")
            for connection, line in listed.items():
                token, address = line.authorized_user, line.ip
                if connection in self._gone:
                    continue
                self._learn(connection, token, clock.now(), address)
                if self.unwanted(token):
                    await self._kick(connection)

    async def traffic(self) -> dict[Connection, Traffic] | None:
        """What each connection received so far; None when the broker does not say."""
        listed = await self._list() if self._bus is not None else None
        if listed is None:
            return None
        return {
            connection: Traffic(line.authorized_user, line.in_msgs, line.in_bytes)
            for connection, line in listed.items()
        }

    async def _list(self) -> dict[Connection, _Line] | None:
        """Every MQTT connection of the account, server by server; None when nobody answers."""
        found: dict[Connection, _Line] = {}
        offset, answered = 0, False
        while True:
            pages = await self._page(offset)
            answered = answered or bool(pages)
            for page in pages:
                for line in page.data.connections:
                    if line.type == "mqtt" and not line.authorized_user.startswith(CANARY):
                        found[page.server.id, line.cid] = line
            offset += _PAGE
            if not any(page.data.total > offset for page in pages):
                return found if answered else None

    async def _page(self, offset: int) -> list[_Connz]:
        assert self._bus is not None
        pages: list[_Connz] = []
        client = self._bus.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        try:
            body = {"acc": ACCOUNT, "auth": True, "limit": _PAGE, "offset": offset}
            await client.publish("$SYS.REQ.SERVER.PING.CONNZ", msgspec.json.encode(body), inbox)
            wait = 2.0
            while True:
                message = await subscription.next_msg(timeout=wait)
                pages.append(msgspec.json.decode(message.data, type=_Connz))
                # The other servers of a cluster answer right after the first.
                wait = 0.15
        except (TimeoutError, nats.errors.Error, OSError, msgspec.MsgspecError):
            return pages
        finally:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

    async def _came(self, message: Msg) -> None:
        event = _event(message)
        if event is None:
            return
        connection = (event.server.id, event.client.id)
        token = event.client.user
        self._learn(connection, token, event.timestamp, event.client.host)
        if self.unwanted(token):
            # Let in a moment before it was revoked, or admission shut.
            await self._kick(connection)

    async def _went(self, message: Msg) -> None:
        event = _event(message)
        if event is not None:
            connection = (event.server.id, event.client.id)
            if self._refreshing.locked():
                self._gone.add(connection)
            received = event.received
            self.on_gone(connection, Traffic(event.client.user, received.msgs, received.bytes))
            self._forget(connection, event.timestamp, event.reason)

    def _learn(self, connection: Connection, token: str, at: datetime, address: str) -> None:
        if self._token.get(connection) == token:
            return
        self._token[connection] = token
        self._past[connection[1]] = token
        if len(self._past) > _REMEMBERED:
            self._past.popitem(last=False)
        others = self.of.setdefault(token, set())
        others.add(connection)
        self._tell(Change(token, True, at, address, ""))

    def _forget(self, connection: Connection, at: datetime, reason: str) -> None:
        token = self._token.pop(connection, None)
        if token is None:
            return
        others = self.of.get(token, set())
        others.discard(connection)
        if not others:
            self.of.pop(token, None)
            self._tell(Change(token, False, at, "", reason))

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            listener(change)


def _event(message: Msg) -> _Event | None:
    try:
        event = msgspec.json.decode(message.data, type=_Event)
    except msgspec.MsgspecError:
        return None
    if event.client.client_type != "mqtt" or event.client.user.startswith(CANARY):
        return None
    return event


async def check_system_account(runtime: Runtime) -> str:
    """Why connections cannot be seen, or "" when they can; for `vigie doctor`."""
    url = nats_system_url(runtime.settings)
    if not url:
        return "VIGIE_NATS_SYSTEM_URL is not set: presence and revocation at once need it."
    try:
        bus = await Bus.connect(url, "vigie-doctor", wait_s=5)
    except SetupError as error:
        return error.detail
    await bus.close()
    return ""
