"""One person's connections: thousands of them, and live sockets that misbehave."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import ClientConnection, connect

from tests.support.attacks import HOST, Target


async def half_sent_requests(target: Target) -> None:
    """Three thousand requests that stop in the middle of a header."""
    await _hold(target, 3_000, b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Slow: ")


async def idle_connections(target: Target) -> None:
    """Five thousand connections that say nothing."""
    await _hold(target, 5_000, b"")


async def _hold(target: Target, count: int, start: bytes) -> None:
    """Open connections, send the start of a request on each and keep them; at most 100 at once."""
    held: list[asyncio.StreamWriter] = []
    turns = itertools.repeat(None, count)

    async def work() -> None:
        for _ in turns:
            target.tally["tried"] += 1
            try:
                _, writer = await target.connect()
                writer.write(start)
                held.append(writer)
                target.tally["opened"] += 1
            except OSError as error:
                target.tally[type(error).__name__] += 1
                await asyncio.sleep(0.02)

    await asyncio.gather(*(work() for _ in range(100)))
    await asyncio.Event().wait()


async def live_sockets_that_never_read(target: Target) -> None:
    """Forty live sockets that ask for everything and take nothing."""

    async def use(socket: ClientConnection) -> None:
        socket.transport.pause_reading()
        await socket.send('{"op":"subscribe"}')
        await asyncio.Event().wait()

    await _sockets(target, 40, use)


async def live_sockets_that_ask_without_end(target: Target) -> None:
    """Eight live sockets that ask for everything anew as fast as they can."""
    channel = f"{target.municipality}/lighting/Streetlight"
    wishes = (
        '{"op":"subscribe"}',
        f'{{"op":"resync","channel":"{channel}"}}',
        '{"op":"subscribe","channels":[' + ",".join(f'"{n}"' for n in range(5_000)) + "]}",
    )

    async def use(socket: ClientConnection) -> None:
        async def read() -> None:
            async for _ in socket:
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            for wish in itertools.cycle(wishes):
                await socket.send(wish)
                target.tally["asked"] += 1

    await _sockets(target, 8, use)


async def live_sockets_that_talk_nonsense(target: Target) -> None:
    """Live sockets opened again and again to send what is no wish, too long or too deep."""
    nonsense = ("x" * 60_000, "[" * 30_000, "y" * 500_000, '{"op":"' + "z" * 50_000 + '"}')

    async def use(socket: ClientConnection) -> None:
        await socket.send(secrets.choice(nonsense))
        await socket.recv()

    await _sockets(target, 30, use)


async def _sockets(
    target: Target, count: int, use: Callable[[ClientConnection], Awaitable[None]]
) -> None:
    async def once() -> str:
        async with connect(
            f"ws://{HOST}:{target.http_port}/api/v1/live",
            additional_headers={
                "Cookie": target.cookie,
                "Origin": f"http://{HOST}:{target.http_port}",
            },
            local_addr=(target.address, 0),
            max_size=None,
            proxy=None,
            close_timeout=1,
        ) as socket:
            target.tally["opened"] += 1
            await use(socket)
        return "closed"

    await target.repeat(count, once)


ATTACKS = [
    half_sent_requests,
    idle_connections,
    live_sockets_that_never_read,
    live_sockets_that_ask_without_end,
    live_sockets_that_talk_nonsense,
]
