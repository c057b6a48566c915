"""The live WebSocket: subscribe, snapshots, deltas, events, heartbeats."""

import asyncio
import contextlib
from typing import Any

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.core.web import caller_scope, still_logged_in, websocket
from vigie.twin.live import frames
from vigie.twin.live.hub import Client, Hub

PERMISSION = "twin.read"
NOT_LOGGED_IN, NO_SUBSCRIBE, BAD_FRAME = 4401, 4408, 4400
_SUBSCRIBE_WITHIN_S = 10.0
_STILL_EVERY_S = 5.0
_SEND_WITHIN_S = 20.0
_MOST_CHANNELS = 10_000

Socket = WebSocket[Any, Any, Any]


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """What a client may say."""

    op: str
    channels: list[str] | None = None
    channel: str = ""


class Closing(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@websocket("/live", permission=PERMISSION)
async def live(socket: WebSocket, runtime: Runtime) -> None:  # type: ignore[type-arg]
    """The live state of the equipment one may see: a snapshot, then what changes."""
    hub = Hub.of(runtime)
    client = Client(caller_scope(socket, PERMISSION))
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


async def _hear(socket: Socket, hub: Hub, client: Client) -> None:
    try:
        async with asyncio.timeout(_SUBSCRIBE_WITHIN_S):
            first = await _read(socket)
    except TimeoutError as error:
        raise Closing(NO_SUBSCRIBE, "no_subscribe") from error
    while True:
        if first.op == "subscribe":
            channels = first.channels
            if channels is not None and len(channels) > _MOST_CHANNELS:
                raise Closing(BAD_FRAME, "too_many_channels")
            if not client.subscribed:
                client.give([hub.hello()])
            wanted = None if channels is None else frozenset(channels)
            for name in hub.subscribe(client, wanted):
                client.give([frames.error("not_found", name).decode()])
        elif first.op == "resync" and client.subscribed:
            if not hub.resync(client, first.channel):
                client.give([frames.error("not_found", first.channel).decode()])
        else:
            raise Closing(BAD_FRAME, "unknown_op")
        # The next wish is heard once this one is sent: snapshots are large, and asking is cheap.
        await client.idle.wait()
        first = await _read(socket)


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
    """A logout, a revoked token or a lost grant ends or narrows what is shown."""
    while True:
        await asyncio.sleep(_STILL_EVERY_S)
        try:
            still = await still_logged_in(socket, PERMISSION)
        except Unavailable:
            continue  # Nobody can log out while the database is away; the heartbeats tell it.
        if still is None:
            raise Closing(NOT_LOGGED_IN, "not_logged_in")
        hub.rescope(client, caller_scope(socket, PERMISSION))


ROUTES = [live]
