"""Downloads at the client's pace: a slow reader holds no connection, and not for ever."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from litestar.response import Stream
from sqlalchemy import text

from tests.support.web import client, person
from vigie.core.database import Database, Unit
from vigie.core.engines import free_port
from vigie.core.errors import Invalid
from vigie.core.runtime import Runtime, database_url
from vigie.core.web import ANY_LOGIN, Export, build_app, get, serve
from vigie.core.web import downloads as downloading
from vigie.core.web.downloads import MOST_EACH, Downloads


async def lines(unit: Unit, count: int) -> AsyncGenerator[bytes, None]:
    """Numbered lines of 100 bytes, each thousand from the database."""
    if count < 0:
        raise Invalid("bad_filter", "no such count")
    for start in range(0, count, 1000):
        found = await unit.execute(
            text("select string_agg(rpad(n::text, 99), E'\\n') || E'\\n'"
                 " from generate_series(cast(:start as int), :start + 999) n"),
            {"start": start},
        )  # fmt: skip
        yield found.scalar_one().encode()


@get("/lines.txt", permission=ANY_LOGIN, media_type="text/plain")
async def download(export: Export, count: int = 1000) -> Stream:
    """Numbered lines."""
    return await export(lambda unit: lines(unit, count), "text/plain", "lines.txt")


@get("/quick", permission=ANY_LOGIN)
async def quick(unit: Unit) -> dict[str, int]:
    """Reads something."""
    return {"one": (await unit.execute(text("select 1"))).scalar_one()}


@pytest.fixture
async def own(runtime: Runtime, settings):
    """A process with lanes of its own, so small that one held connection is missed."""
    lanes = Database(database_url(settings), pool=2, screens=2, exports=1)
    changed = msgspec.structs.replace(settings, http_port=free_port())
    yield Runtime(changed, "api", lanes, runtime.bus)
    await lanes.close()


@pytest.fixture
def app(own):
    return build_app(own, [download, quick], [])


async def test_a_download_is_whole_and_leaves_nothing(app, own):
    async with await person(app, own, "reader", "viewer") as browser:
        answer = await browser.get("/api/v1/lines.txt?count=30000")
        assert answer.headers["content-disposition"] == 'attachment; filename="lines.txt"'
        assert len(answer.content) == 3_000_000
        assert answer.text.split()[29_999] == "29999"
        bad = await browser.get("/api/v1/lines.txt?count=-1")
        assert (bad.status_code, bad.json()["code"]) == (422, "bad_filter")
    assert Downloads.of(own).running == 0
    assert own.database.pool()[0] == 0
    assert list((own.settings.root / "tmp").iterdir()) == []


async def test_who_never_reads_holds_no_connection_and_is_let_go(app, own):
    Downloads.of(own).stall_s = 6.0
    async with (
        await person(app, own, "sleeper", "viewer") as sleeper,
        await person(app, own, "awake", "viewer") as awake,
        served(app, own),
    ):
        sockets = [unread(own, sleeper, "/api/v1/lines.txt?count=80000") for _ in range(10)]
        async with asyncio.timeout(30):
            while Downloads.of(own).running < MOST_EACH or own.database.pool()[0]:
                await asyncio.sleep(0.02)
            assert (await sleeper.get("/api/v1/quick")).status_code == 200
            refused = await sleeper.get("/api/v1/lines.txt")
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_downloads")
            assert refused.headers["retry-after"]
            assert len((await awake.get("/api/v1/lines.txt")).content) == 100_000
            while Downloads.of(own).running:
                await asyncio.sleep(0.05)
            assert (await sleeper.get("/api/v1/lines.txt")).status_code == 200
        for each in sockets:
            each.close()


async def test_a_download_that_dribbles_ends_at_its_deadline(app, own):
    Downloads.of(own).within_s = 0.5
    async with await person(app, own, "dribbler", "viewer") as browser:
        cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    sent: list[Any] = []
    begun: list[bool] = []

    async def receive() -> dict[str, Any]:
        if not begun:
            begun.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(0.1)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/api/v1/lines.txt", "raw_path": b"/api/v1/lines.txt",
        "query_string": b"count=100000", "root_path": "", "client": ("127.0.0.1", 50123),
        "server": ("127.0.0.1", 8080), "state": {},
        "headers": [(b"host", b"127.0.0.1:8080"), (b"cookie", cookies.encode())],
    }  # fmt: skip
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    assert sent[0]["status"] == 200
    assert sent[-1]["more_body"], "cut short, and not called complete"
    assert Downloads.of(own).running == 0


async def test_a_client_that_leaves_stops_the_writing(app, own, owner):
    async with await person(app, own, "leaver", "viewer") as browser, served(app, own):
        left = unread(own, browser, "/api/v1/lines.txt?count=100000000")
        async with asyncio.timeout(20):
            while not own.database.pool()[0]:
                await asyncio.sleep(0.02)
            left.close()
            while own.database.pool()[0] or Downloads.of(own).running:
                await asyncio.sleep(0.02)


async def test_a_full_disk_or_too_much_is_said_before_anything_is_sent(app, own, monkeypatch):
    async with await person(app, own, "hoarder", "viewer") as browser:
        with monkeypatch.context() as patched:
            patched.setattr(downloading, "_LEAST_FREE", 2**62)
            full = await browser.get("/api/v1/lines.txt")
        assert (full.status_code, full.json()["code"]) == (503, "download_no_room")
        with monkeypatch.context() as patched:
            patched.setattr(downloading, "_MOST_BYTES", 50_000)
            large = await browser.get("/api/v1/lines.txt")
        assert (large.status_code, large.json()["code"]) == (413, "download_too_large")
    assert Downloads.of(own).running == 0


@contextlib.asynccontextmanager
async def served(app: Any, process: Runtime) -> AsyncGenerator[None, None]:
    task = asyncio.create_task(serve(process, app))
    try:
        async with client(app) as browser:
            assert (await browser.get("/healthz")).status_code == 200
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(
                        "127.0.0.1", process.settings.http_port
                    )
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield
    finally:
        process.stopping.set()
        await asyncio.wait_for(task, 30)


def unread(process: Runtime, browser: Any, path: str) -> socket.socket:
    """A request whose answer nobody reads."""
    cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    port = process.settings.http_port
    asked = socket.socket()
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asked.connect(("127.0.0.1", port))
    asked.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookies}\r\n\r\n".encode()
    )
    return asked
