"""One person's requests: small ones that cost much, large ones, and many."""

import asyncio
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from tests.support.attacks import HOST, Target

LISTS = ("assets", "commands", "journal", "quarantine", "gateways", "users")
# One sign that folds to eighteen letters in four words.
LIGATURE = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"


def browser(target: Target, *, logged_in: bool = True) -> httpx.AsyncClient:
    """The attacker's HTTP client."""
    headers = {"Cookie": target.cookie, "X-CSRF-Token": target.csrf} if logged_in else {}
    return httpx.AsyncClient(
        base_url=f"http://{HOST}:{target.http_port}/api/v1",
        headers=headers,
        transport=httpx.AsyncHTTPTransport(
            local_address=target.address, limits=httpx.Limits(max_connections=None)
        ),
        timeout=60,
    )


async def _gets(target: Target, workers: int, *requests: tuple[str, dict[str, str]]) -> None:
    """These requests in turn, from so many workers."""
    turns = itertools.cycle(requests)
    async with browser(target) as client:

        async def once() -> int:
            path, params = next(turns)
            return (await client.get(path, params=params)).status_code

        await target.repeat(workers, once)


async def numbers_without_end(target: Target) -> None:
    """Filters whose numbers have ten million digits."""
    values = ("id:1e9999999", "parent:1e9999999", "id:>=1e9999999", "id:" + "9" * 1900)
    await _gets(target, 8, *(("/assets", {"filter": value}) for value in values))


async def filters_of_many_words(target: Target) -> None:
    """Forty terms of twelve words each, and signs that fold to several words each."""
    terms = [f'"{" ".join(letters)}"' for letters in itertools.repeat("abcdefghijkl", 40)]
    filters = (
        " ".join(terms),
        " ".join(f"-{term}" for term in terms),
        LIGATURE * 80,
        " ".join([LIGATURE * 5] * 40),
    )
    await _gets(
        target,
        16,
        *(("/assets", {"filter": text}) for text in filters),
        *(("/assets.csv", {"filter": text}) for text in filters),
        ("/search", {"q": LIGATURE * 200}),
    )


async def searches(target: Target) -> None:
    """Sixty searches at a time, some full of what patterns and regular expressions find slow."""
    slow = ("%_" * 90, "(a+)+$" * 30, "\\" * 200, "a" * 200, "a " * 40, "e i o u")
    async with browser(target) as client:

        async def once() -> int:
            text = secrets.choice((*slow, f"{secrets.choice('abcdeilmn')} {secrets.token_hex(1)}"))
            if secrets.randbelow(2):
                return (await client.get("/assets", params={"filter": text})).status_code
            return (await client.get("/search", params={"q": text, "limit": 100})).status_code

        await target.repeat(60, once)


async def exports_at_once(target: Target) -> None:
    """Twenty exports of everything at a time, read as fast as they come."""
    exports = ("/assets.geojson", "/assets.csv", "/territory/streets.geojson")
    await _gets(target, 20, *((path, {}) for path in exports))


async def exports_never_read(target: Target) -> None:
    """Exports of everything on thirty lines, twenty on each, of which nothing is read."""
    for _ in range(30):
        _, writer = await target.connect(receive_buffer=4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        # One alone may fit into the buffers on the way.
        writer.write((_head(target, "GET", "assets.geojson") + b"\r\n") * 20)
        target.tally["tried"] += 1


async def cursors(target: Target) -> None:
    """Cursors nobody gave, of every list."""
    values = ("AAAA", "A" * 4000, secrets.token_urlsafe(300), "eyJpZCI6MWU5OTk5OTk5fQ", "\x00")
    requests = [
        (f"/{name}", {"cursor": value, "limit": "500"})
        for value, name in itertools.product(values, LISTS)
    ]
    await _gets(target, 16, *requests)


async def histories(target: Target) -> None:
    """The whole past of one light, and the whole journal, from many workers."""
    span = {"from": "1970-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z"}
    await _gets(
        target,
        24,
        (f"/assets/{target.lamp}/history", {"metric": "activePower"}),
        (f"/assets/{target.lamp}/history", {"metric": "activePower", **span}),
        ("/journal", {"limit": "500"}),
        ("/commands", {"limit": "500"}),
        (f"/assets/{target.lamp}/journal", {"limit": "500"}),
    )


async def giant_bodies(target: Target) -> None:
    """Two hundred megabytes of JSON, with and without saying so beforehand."""

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"reason": "'
        for _ in range(3_200):
            yield b"x" * 65_536

    await _posts(target, 4, lambda client: client.post("/commands", content=endless()))


async def deep_bodies(target: Target) -> None:
    """JSON nested a million deep."""
    body = b'{"params":' + b'{"a":' * 200_000 + b"[" * 1_000_000
    headers = {"Content-Type": "application/json"}
    await _posts(target, 8, lambda client: client.post("/commands", content=body, headers=headers))


async def same_keys(target: Target) -> None:
    """One lamp commanded with one idempotency key, and with ever new ones."""

    def send(client: httpx.AsyncClient) -> Awaitable[httpx.Response]:
        key = secrets.choice(("the same", secrets.token_hex(16), "k" * 4000))
        return client.post(
            "/commands",
            headers={"Idempotency-Key": key},
            json=_command(assets=[target.lamp]),
        )

    await _posts(target, 40, send)


async def commands_to_thousands(target: Target) -> None:
    """A municipality's every light commanded again and again."""
    body = _command(filter=f"kind:Streetlight municipality:{target.municipality}")
    await _posts(target, 10, lambda client: client.post("/commands", json=body))


async def wrong_logins(target: Target) -> None:
    """Wrong passwords, a hundred at a time."""
    async with browser(target, logged_in=False) as client:

        async def once() -> int:
            body = {"username": f"guess-{secrets.token_hex(2)}", "password": "guess " * 4}
            return (await client.post("/session", json=body)).status_code

        await target.repeat(100, once)


async def wrong_logins_beside_the_operator(target: Target) -> None:
    """The same from the operator's own address: people of one town hall share it."""
    target.address = HOST
    await wrong_logins(target)


async def long_passwords(target: Target) -> None:
    """Passwords of megabytes, for a hash that takes its time."""
    async with browser(target, logged_in=False) as client:

        async def once() -> int:
            body = {"username": "admin", "password": LIGATURE * 300_000}
            return (await client.post("/session", json=body)).status_code

        await target.repeat(10, once)


def _command(**selection: Any) -> dict[str, Any]:
    return {
        "verb": "set_dimming_level",
        "params": {"level": secrets.randbelow(100)},
        "reason": "exhaustion",
        "expires_in_s": 10,
        **selection,
    }


async def _posts(
    target: Target,
    workers: int,
    send: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
) -> None:
    async with browser(target) as client:

        async def once() -> int:
            return (await send(client)).status_code

        await target.repeat(workers, once)


def _head(target: Target, method: str, path: str) -> bytes:
    """A request's first lines, to be ended by an empty one."""
    return (
        f"{method} /api/v1/{path} HTTP/1.1\r\nHost: {HOST}:{target.http_port}\r\n"
        f"Cookie: {target.cookie}\r\nX-CSRF-Token: {target.csrf}\r\n"
    ).encode()


async def pipelines(target: Target) -> None:
    """Thousands of requests on a line of which no answer is read."""
    one = _head(target, "GET", "assets?limit=500") + b"\r\n"

    async def once() -> str:
        _, writer = await target.connect(receive_buffer=4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(5_000):
            writer.write(one)
            async with asyncio.timeout(60):
                await writer.drain()
        return "sent"

    await target.repeat(20, once)


async def bodies_byte_by_byte(target: Target) -> None:
    """Four hundred requests whose bodies never end."""

    async def once() -> str:
        _, writer = await target.connect()
        body = json.dumps(_command(assets=[target.lamp])).encode()
        writer.write(
            _head(target, "POST", "commands")
            + b"Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
        )
        for byte in itertools.cycle(body):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.5)
        return "sent"

    await target.repeat(400, once)


async def headers_without_end(target: Target) -> None:
    """Eighty megabytes of small headers to each of four requests."""
    lines = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 100) for number in range(1_000))

    async def once() -> str:
        return await _pour(target, _head(target, "GET", "session"), lines, 80_000_000)

    await target.repeat(4, once)


async def one_huge_header(target: Target) -> None:
    """A header of seventy megabytes, and a URL of as many."""
    starts = itertools.cycle(
        (
            _head(target, "GET", "session") + b"X-Huge: ",
            b"GET /api/v1/session?q=",
            _head(target, "GET", "session")[:-2] + b"; more=",
        )
    )

    async def once() -> str:
        return await _pour(target, next(starts), b"x" * 65_536, 70_000_000)

    await target.repeat(3, once)


async def _pour(target: Target, start: bytes, more: bytes, size: int) -> str:
    """Send this much before the request ends; the first word of the answer's status line."""
    reader, writer = await target.connect()
    try:
        writer.write(start)
        for _ in range(size // len(more)):
            writer.write(more)
            await writer.drain()
        writer.write(b" HTTP/1.1\r\n\r\n")
        return (await reader.readline()).decode(errors="replace")[9:12]
    finally:
        writer.close()


ATTACKS = [
    numbers_without_end,
    filters_of_many_words,
    searches,
    cursors,
    histories,
    exports_at_once,
    exports_never_read,
    giant_bodies,
    deep_bodies,
    bodies_byte_by_byte,
    headers_without_end,
    one_huge_header,
    pipelines,
    same_keys,
    commands_to_thousands,
    wrong_logins,
    wrong_logins_beside_the_operator,
    long_passwords,
]
