"""The live WebSocket: channels and topics, snapshots, changes, heartbeats."""

import asyncio
import contextlib
import time
from typing import Any

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from vigie.core.errors import Unavailable
from vigie.core.live import frames
from vigie.core.live.client import Client
from vigie.core.live.hub import Hub
from vigie.core.live.rules import Pace
from vigie.core.runtime import Runtime
from vigie.core.scope import NOTHING, Scope
from vigie.core.tasks import end
from vigie.core.web import ANY_LOGIN, caller_scope, still_logged_in, websocket

NOT_LOGGED_IN, NO_SUBSCRIBE, BAD_FRAME = 4401, 4408, 4400
_SUBSCRIBE_WITHIN_S = 10.0
_STILL_EVERY_S = 5.0
_SEND_WITHIN_S = 20.0
_MOST_CHANNELS = 10_000
_MOST_TOPICS = 500

Socket = WebSocket[Any, Any, Any]


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """What a client may say: `subscribe` to channels (null: all), `follow` topics of rows (those
    and no others), `resync` one channel or topic."""

    op: str
    channels: list[str] | None = None
    topics: list[str] = []
    channel: str = ""
    topic: str = ""


class Closing(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


# Each topic asks its own permission: who is logged in may ask for any.
@websocket("/live", permission=ANY_LOGIN)
async def live(socket: WebSocket, runtime: Runtime) -> None:  # type: ignore[type-arg]
    """What one may see as it is now: a snapshot, then what changes."""
    hub = Hub.of(runtime)
    client = Client(_grants(socket, hub))
    tasks = [
        asyncio.create_task(_hear(socket, hub, client)),
        asyncio.create_task(_send(socket, hub, client)),
        asyncio.create_task(_stay(socket, hub, client)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if isinstance(error, Closing):
                with contextlib.suppress(Exception):
                    await socket.close(error.code, error.reason)
            elif error is not None and not isinstance(error, WebSocketDisconnect | TimeoutError):
                raise error
    finally:
        hub.leave(client)
        await end(tasks)


def _grants(socket: Socket, hub: Hub) -> dict[str, Scope]:
    """Where the caller holds each permission that a topic asks."""
    scopes = {name: caller_scope(socket, name) for name in hub.permissions}
    return {name: scope for name, scope in scopes.items() if scope != NOTHING}


async def _hear(socket: Socket, hub: Hub, client: Client) -> None:
    pace = Pace()
    try:
        async with asyncio.timeout(_SUBSCRIBE_WITHIN_S):
            wish = await _read(socket)
    except TimeoutError as error:
        raise Closing(NO_SUBSCRIBE, "no_subscribe") from error
    while True:
        if client not in hub.clients and wish.op in ("subscribe", "follow"):
            hub.join(client)
        client.give(_answer(hub, client, wish))
        # The next wish is read once this one is sent: snapshots are large, and asking is cheap.
        # Meanwhile the server reads nothing more of this socket, so a flood stays with its sender.
        await client.idle.wait()
        await asyncio.sleep(pace.wait_s(time.monotonic()))
        wish = await _read(socket)


def _answer(hub: Hub, client: Client, wish: Ask) -> list[str]:
    """Do what a client wishes; the refusals. Raises Closing."""
    if wish.op == "subscribe":
        if wish.channels is not None and len(wish.channels) > _MOST_CHANNELS:
            raise Closing(BAD_FRAME, "too_many_channels")
        wanted = None if wish.channels is None else frozenset(wish.channels)
        refused = hub.subscribe(client, wanted)
        return [frames.error("not_found", channel=name) for name in refused]
    if wish.op == "follow":
        if len(wish.topics) > _MOST_TOPICS:
            raise Closing(BAD_FRAME, "too_many_topics")
        refused = hub.follow(client, wish.topics)
        return [frames.error("not_found", topic=name) for name in refused]
    if wish.op == "resync" and client in hub.clients:
        if hub.resync(client, channel=wish.channel, topic=wish.topic):
            return []
        named = {"topic": wish.topic} if wish.topic else {"channel": wish.channel}
        return [frames.error("not_found", **named)]
    raise Closing(BAD_FRAME, "unknown_op")


async def _read(socket: Socket) -> Ask:
    data = await socket.receive_data(mode="text")
    try:
        return msgspec.json.decode(data, type=Ask)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Closing(BAD_FRAME, "bad_frame") from error


async def _send(socket: Socket, hub: Hub, client: Client) -> None:
    """Send as fast as the client takes; it is not waited for longer than a while."""
    while True:
        frame = client.take()
        if frame is not None:
            async with asyncio.timeout(_SEND_WITHIN_S):
                await socket.send_data(frame, mode="text")
        elif client.lagging:
            hub.catch_up(client)
        else:
            client.ready.clear()
            await client.ready.wait()


async def _stay(socket: Socket, hub: Hub, client: Client) -> None:
    """A logout, a revoked token or a lost grant ends or narrows what is shown: at once when it is
    announced, and soon when the announcement is lost."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STILL_EVERY_S):
                await client.doubted.wait()
        client.doubted.clear()
        try:
            still = await still_logged_in(socket, ANY_LOGIN)
        except Unavailable:
            continue  # Nobody can log out while the database is away; the heartbeats tell it.
        if still is None:
            raise Closing(NOT_LOGGED_IN, "not_logged_in")
        hub.rescope(client, _grants(socket, hub))


ROUTES = [live]
