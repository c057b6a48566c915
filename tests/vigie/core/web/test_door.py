"""What a connection may cost before a request exists: on real sockets, as a hostile client would.

The app behind the door counts what reaches it; none of these tests needs an engine.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.certificate import certificate
from vigie.core.engines import free_port
from vigie.core.settings import Settings
from vigie.core.web import serve

WITHIN_S = 20


@dataclass
class Behind:
    """A small app that answers with sizes; `/early` reads no body, `/big` sends 8 MB."""

    requests: list[str] = field(default_factory=list)
    messages: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                self.messages += 1
                await send({"type": "websocket.send", "text": str(len(message.get("text") or ""))})
            return
        self.requests.append(scope["path"])
        size = 0
        while scope["path"] != "/early":
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        body = b"x" * 8_000_000 if scope["path"] == "/big" else str(size).encode()
        length = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def served(**changes: Any) -> AsyncIterator[tuple[int, Behind]]:
    """The port of a running server with these settings, and the app behind it."""
    settings = msgspec.structs.replace(Settings(), http_port=free_port(), **changes)
    process = SimpleNamespace(settings=settings, stopping=asyncio.Event())
    app = Behind()
    task = asyncio.create_task(serve(process, app))  # type: ignore[arg-type]
    try:
        for _ in range(500):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", settings.http_port)
                writer.close()
                break
            assert not task.done(), task.exception()
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
        yield settings.http_port, app
    finally:
        process.stopping.set()
        await asyncio.wait_for(task, 30)


async def send(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send pieces whatever happens, then read until the server closes; what it answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
    answer = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(WITHIN_S):
            while data := await reader.read(65_536):
                answer += data
    writer.close()
    return answer


def status(answer: bytes) -> int:
    """The code of the first answer; 0 when the connection closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
LAST = b"Connection: close\r\n\r\n"


async def test_ordinary_requests_pass() -> None:
    async with served() as (port, app):
        assert status(await send(port, GET + LAST)) == 200
        assert status(await send(port, GET + b"X: " + b"a" * 30_000 + b"\r\n" + LAST)) == 200
        assert status(await send(port, b"GET /" + b"a" * 8_000 + GET[5:] + LAST)) == 200
        two = await send(port, GET + b"\r\n" + GET + LAST)
        assert two.count(b"HTTP/1.1 200") == 2
        large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n" + LAST + b"b" * 900_000
        assert (await send(port, large)).endswith(b"900000")
        chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + LAST
        assert (await send(port, chunked, b"5\r\nhello\r\n" * 20_000, b"0\r\n\r\n")).endswith(
            b"100000"
        )
        assert len(app.requests) == 7


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (GET + b"X: " + b"a" * 200_000 + b"\r\n" + LAST, 431),
        (GET + b"".join(b"X%d: %s\r\n" % (i, b"a" * 900) for i in range(90)) + LAST, 431),
        (GET + b"".join(b"X%d: a\r\n" % i for i in range(200)) + LAST, 431),
        (GET + b"N" * 200_000 + b": a\r\n" + LAST, 431),
        (b"GET /" + b"a" * 9_000 + GET[5:] + LAST, 414),
        (b"GET /?q=" + b"a" * 900_000 + GET[5:] + LAST, 414),
        (b"NONSENSE\r\n\r\n", 400),
    ],
    ids=["value", "sum", "count", "name", "path", "query", "nonsense"],
)
async def test_too_large_a_head_is_refused_before_the_app(request_: bytes, code: int) -> None:
    async with served() as (port, app):
        answer = await send(port, request_)
        assert status(answer) == code
        assert b"application/problem+json" in answer
        assert b"connection: close" in answer.lower()
        assert app.requests == []
        assert status(await send(port, GET + LAST)) == 200


async def test_a_header_without_end_is_cut_off_early() -> None:
    """64 MB were offered; only what fits in the sockets between leaves the client."""
    async with served() as (port, app):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + b"X: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                writer.write(b"a" * 1_000_000)
                await writer.drain()
                sent += 1
        assert sent < 30
        with contextlib.suppress(ConnectionError):
            assert status(await reader.read()) in (0, 431)
        writer.close()
        assert app.requests == []


@pytest.mark.parametrize(
    "more",
    [b"0\r\nX: " + b"a" * 400_000, b"0\r\n" + b"X: a\r\n" * 20_000, b"1;" + b"a" * 400_000],
    ids=["trailer", "trailers", "extension"],
)
async def test_what_follows_a_body_is_bounded_too(more: bytes) -> None:
    async with served() as (port, _app):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert status(await send(port, head, more)) == 431


async def test_a_body_that_nobody_wants_is_not_taken_to_its_end() -> None:
    async with served() as (port, app):
        head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 64000000\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        assert status(await reader.read(100)) == 200
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                writer.write(b"a" * 1_000_000)
                await writer.drain()
                sent += 1
        assert sent < 30
        writer.close()
        assert app.requests == ["/early"]


async def test_many_requests_at_once_do_not_queue_without_end() -> None:
    async with served() as (port, app):
        await send(port, (GET + b"\r\n") * 5_000)
        assert len(app.requests) < 1_000


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ((b"GET / HT",), 408),
        ((GET,), 408),
        ((GET + b"\r\n", b"\r\n"), 200),  # Nothing but a stray line end after an answer.
        ((GET + b"\r\n", GET), 200),
        ((b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",), 408),
        ((b"",), 0),
        ((b"\r\n",), 408),
    ],
    ids=["line", "headers", "stray", "second", "body", "silent", "blank"],
)
async def test_what_is_not_sent_in_time_ends(pieces: tuple[bytes, ...], code: int) -> None:
    async with served(http_header_seconds=0.4, http_body_seconds=0.4) as (port, _app):
        answer = await send(port, *pieces, pause_s=0.1)
        assert status(answer) == code


async def test_a_drop_now_and_then_does_not_keep_a_request_alive() -> None:
    async with served(http_header_seconds=0.5, http_body_seconds=0.5) as (port, app):
        drops = [b"X%d: a\r\n" % i for i in range(30)]
        assert status(await send(port, GET, *drops, pause_s=0.05)) == 408
        assert app.requests == []
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
        assert status(await send(port, head, *[b"a"] * 30, pause_s=0.05)) == 408


async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    async with served(http_reader_seconds=0.5) as (port, _app):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(GET.replace(b"/", b"/big", 1) + b"\r\n")
        await asyncio.sleep(2.5)
        size = 0
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WITHIN_S):
                while data := await reader.read(65_536):
                    size += len(data)
        assert 0 < size < 8_000_000
        writer.close()


async def test_one_address_holds_so_many_connections() -> None:
    async with served(http_connections_per_address=5) as (port, _app):
        await asyncio.sleep(0.1)
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        answer = await send(port, GET + LAST)
        assert status(answer) == 429
        assert b"too_many_connections" in answer
        elsewhere = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        elsewhere.sendall(GET + LAST)
        elsewhere.setblocking(False)
        loop = asyncio.get_running_loop()
        assert status(await asyncio.wait_for(loop.sock_recv(elsewhere, 9_999), WITHIN_S)) == 200
        elsewhere.close()
        held.pop()[1].close()
        await asyncio.sleep(0.2)
        assert status(await send(port, GET + LAST)) == 200
        for _, writer in held:
            writer.close()


async def test_sockets_count_and_give_their_place_back() -> None:
    async with served(http_connections_per_address=2) as (port, _app):
        await asyncio.sleep(0.1)
        for _ in range(3):
            async with (
                connect(f"ws://127.0.0.1:{port}/", proxy=None),
                connect(f"ws://127.0.0.1:{port}/", proxy=None) as second,
            ):
                await second.send("abc")
                assert await second.recv() == "3"
                assert status(await send(port, GET + LAST)) == 429
            await asyncio.sleep(0.2)
        assert status(await send(port, GET + LAST)) == 200


async def test_a_trusted_proxy_is_not_limited_as_one_address() -> None:
    changes = {"http_connections_per_address": 2, "trusted_proxies": "127.0.0.0/8"}
    async with served(**changes) as (port, _app):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(12)]
        assert status(await send(port, GET + LAST)) == 200
        for _, writer in held:
            writer.close()


async def test_all_together_hold_so_many_connections() -> None:
    async with served(http_connections=10, trusted_proxies="127.0.0.1") as (port, _app):
        await asyncio.sleep(0.1)
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
        assert status(await send(port, GET + LAST)) == 503
        for _, writer in held:
            writer.close()


async def test_half_a_tls_handshake_holds_a_place_for_a_while(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    changes = {"http_connections_per_address": 3, "http_header_seconds": 1.0}
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with served(**changes, tls_certificate=chain, tls_key=key) as (port, _app):
        await asyncio.sleep(0.2)
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in held:
            writer.write(b"\x16\x03\x01")
        with pytest.raises((OSError, ssl.SSLError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        async with asyncio.timeout(WITHIN_S):
            assert [await reader.read() for reader, _ in held] == [b""] * 3
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        writer.write(GET + LAST)
        assert status(await reader.read()) == 200
        for _, each in held:
            each.close()
        writer.close()


async def _closed_with(port: int, *messages: Any) -> int:
    async with connect(f"ws://127.0.0.1:{port}/", proxy=None, ping_interval=None) as live:
        with pytest.raises(ConnectionClosed):
            for message in messages:
                await live.send(message)
            async with asyncio.timeout(WITHIN_S):
                while True:
                    await live.recv()
        return live.close_code or 0


async def test_a_sockets_messages_are_bounded_in_size_and_number() -> None:
    changes = {"websocket_message_bytes": 2_000, "websocket_frames_per_second": 5}
    async with served(**changes) as (port, app):
        assert await _closed_with(port, "a" * 3_000) == 1009
        assert await _closed_with(port, ["a" * 900] * 3) == 1009
        assert app.messages == 0
        assert await _closed_with(port, *["a"] * 500) == 1008
        assert app.messages < 100
        assert await _closed_with(port, [""] * 300) in (1008, 1009)
        async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as live:
            with pytest.raises(ConnectionClosed):
                for _ in range(500):
                    await live.ping()
                    await asyncio.sleep(0)
                await live.recv()
            assert live.close_code == 1008
