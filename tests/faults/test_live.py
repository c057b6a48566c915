"""Live topics when things break: the api process dies under a screen, or a screen sleeps.

A screen may go dark and come back; it may never go on showing what is not so. After each fault it
holds exactly what the log holds.

VIGIE_FAULT_ASLEEP_S is how long the sleeping screen takes nothing (a few seconds in `make test`,
ten minutes in `make faults`).
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.support.centre import Centre, json
from tests.support.live import Screen

TOPIC = "logbook.entries"
ASLEEP_S = float(os.environ.get("VIGIE_FAULT_ASLEEP_S", "5"))


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory):
    made = Centre(tmp_path_factory.mktemp("live") / "var")
    try:
        made.up("--no-city")
        yield made
    finally:
        made.stop()


@contextlib.asynccontextmanager
async def screen(centre: Centre, desk: httpx.Client, **options: Any) -> AsyncIterator[Screen]:
    """A screen that follows the log; it waits for an api process that is not there yet."""
    cookie = "; ".join(f"{name}={value}" for name, value in desk.cookies.items())
    address = centre.url.replace("http", "ws") + "/api/v1/live"
    for _ in range(300):
        try:
            socket = await connect(
                address, additional_headers={"Cookie": cookie}, proxy=None, **options
            )
            break
        except (OSError, EOFError, TimeoutError, WebSocketException):
            await asyncio.sleep(0.1)
    else:
        raise AssertionError("the api did not come back")
    try:
        found = Screen(socket)
        await found.ask("follow", topics=[TOPIC])
        yield found
    finally:
        await socket.close()


async def write(desk: httpx.Client, text: str) -> str:
    """One entry, sent again until the server said that it has it."""
    for _ in range(300):
        try:
            answer = await asyncio.to_thread(
                desk.post, "/api/v1/logbook/entries", json={"text": text}
            )
            if answer.status_code == 201:
                return answer.json()["id"]
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the entry was never taken")


def held(desk: httpx.Client) -> set[str]:
    """What the log holds."""
    return {e["id"] for e in json(desk.get("/api/v1/logbook/entries?limit=1000"))["items"]}


async def test_a_screen_has_everything_after_the_api_was_killed(centre: Centre):
    desk = centre.login()
    written: list[str] = []

    async def keep_writing() -> None:
        while True:
            written.append(await write(desk, f"entry {len(written)}"))

    writer = asyncio.create_task(keep_writing())
    try:
        for _ in range(3):
            async with screen(centre, desk) as shown:
                start = len(written)
                await shown.until(lambda s, start=start: len(s.rows.get(TOPIC, ())) > start + 5)
                pid = centre.pids()["api"]
                os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ConnectionClosed, asyncio.TimeoutError):
                    while True:
                        await asyncio.wait_for(shown.socket.recv(), 20)
                for _ in range(200):
                    if centre.pids().get("api") not in (None, pid):
                        break
                    await asyncio.sleep(0.1)
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
    last = await write(desk, "the last one")
    async with screen(centre, desk) as shown:
        await shown.until(lambda s: last in s.rows.get(TOPIC, ()))
        assert set(shown.rows[TOPIC]) == held(desk)
        assert set(written) <= set(shown.rows[TOPIC]), "what was acknowledged is shown"
    desk.close()


async def test_a_screen_that_slept_shows_what_is_so(centre: Centre):
    desk = centre.login()
    # Small buffers: what the sleeper does not take backs up into the server soon.
    async with screen(centre, desk, max_queue=1, max_size=None, ping_interval=None) as shown:
        await shown.until(lambda s: TOPIC in s.rows)
        end = asyncio.get_running_loop().time() + ASLEEP_S
        n = 0
        while asyncio.get_running_loop().time() < end:
            n += 1
            await write(desk, f"while it sleeps {n} " + "x" * 3000)
            await asyncio.sleep(min(1.0, ASLEEP_S / 50))
        last = await write(desk, "it wakes up")
        with contextlib.suppress(ConnectionClosed):
            await shown.until(lambda s: last in s.rows[TOPIC], within_s=60)
            assert set(shown.rows[TOPIC]) == held(desk)
            desk.close()
            return
    # It was closed for taking nothing: it comes back, and is whole.
    async with screen(centre, desk, max_size=None) as again:
        await again.until(lambda s: last in s.rows.get(TOPIC, ()))
        assert set(again.rows[TOPIC]) == held(desk)
    desk.close()
