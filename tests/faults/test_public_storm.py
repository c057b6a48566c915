"""A storm of citizens and a desk that works: the public process takes it, the desks notice nothing.

Two hundred clients are slow in every way that costs a server something: they do not end their
request, take nothing of their answer, or ask again as fast as they are answered.
"""

import asyncio
import time
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.support.centre import Centre
from vigie.core.engines.postgres import OWNER, PUBLIC_LOGIN

pytestmark = pytest.mark.long

CLIENTS = 200
ASK = b"GET /public/v1/territory HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory):
    made = Centre(
        tmp_path_factory.mktemp("storm") / "var", http_public_connections_per_address="1000"
    )
    try:
        made.up("--no-city")
        yield made
    finally:
        made.stop()


async def _loiter(port: int, way: int, until: asyncio.Event, answers: list[bytes]) -> None:
    """One client: 0 sends its headers byte by byte, 1 takes no answer, 2 asks without pause."""
    while not until.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        try:
            if way == 0:
                for byte in ASK:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.2)
                    if until.is_set():
                        break
            elif way == 1:
                writer.write((ASK + b"\r\n") * 50)
                await until.wait()
            else:
                while not until.is_set():
                    writer.write(ASK + b"\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                    answers.append(head[9:12])
                    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                    await reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            pass
        finally:
            writer.close()


def _connections(centre: Centre) -> tuple[int, int]:
    """Connections of the public login, and the most it may have."""
    secret = (centre.var / "secrets" / f"postgres-{OWNER}").read_text().strip()
    port = centre.environment["VIGIE_POSTGRES_PORT"]
    with psycopg.connect(f"postgresql://{OWNER}:{secret}@127.0.0.1:{port}/vigie") as connection:
        row = connection.execute(
            "select (select count(*) from pg_stat_activity where usename = %(login)s),"
            " (select rolconnlimit from pg_roles where rolname = %(login)s)",
            {"login": PUBLIC_LOGIN},
        ).fetchone()
    assert row is not None
    return row


def _read(desk: httpx.Client) -> float:
    began = time.monotonic()
    answer = desk.get("/api/v1/journal", params={"limit": 20})
    assert answer.status_code == 200, answer.text
    return time.monotonic() - began


async def test_two_hundred_slow_citizens_leave_a_desk_alone(centre: Centre):
    port = int(centre.environment["VIGIE_HTTP_PUBLIC_PORT"])
    desk = centre.login()
    calm = sorted(_read(desk) for _ in range(30))
    until, answers = asyncio.Event(), list[bytes]()
    crowd = [asyncio.create_task(_loiter(port, n % 3, until, answers)) for n in range(CLIENTS)]
    try:
        await asyncio.sleep(2)
        stormy = sorted([await asyncio.to_thread(_read, desk) for _ in range(60)])
        used, most = await asyncio.to_thread(_connections, centre)
    finally:
        until.set()
        await asyncio.gather(*crowd, return_exceptions=True)
        desk.close()
    print(f"desk: {calm[15] * 1e3:.0f} ms calm, {stormy[30] * 1e3:.0f} ms in the storm, "
          f"worst {stormy[-1] * 1e3:.0f} ms; {len(answers)} answers to citizens")  # fmt: skip
    # The machine is shared with the crowd itself: far below what a person calls slow is enough.
    assert stormy[-1] < 3
    assert {b"200", b"429"} <= set(answers), "the storm was served, and held to its rate"
    assert 0 < used <= 4 < most


def test_the_citizens_page_is_served_and_the_desks_are_not(centre: Centre):
    root = Path(__file__).parents[2] / "web" / "dist" / "portal" / "index.html"
    with httpx.Client(base_url=centre.public_url, trust_env=False) as citizen:
        if root.exists():
            page = citizen.get("/")
            assert page.status_code == 200
            assert 'id="portal"' in page.text
        assert citizen.get("/api/v1/session").status_code == 404
        assert citizen.get("/public/v1/territory").status_code == 200
        assert httpx.get(centre.url + "/public/v1/territory").status_code == 404
