"""An api process with live screens on a real port, and what a console does with frames."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect

from tests.support.web import PASSWORD, account, log_in
from vigie.core.engines import free_port
from vigie.core.live import service
from vigie.core.rooms import Rooms
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.core.web import build_app, serve


class Api:
    """One api process."""

    def __init__(self, process: Runtime, browser: httpx.AsyncClient) -> None:
        self.process = process
        self.browser = browser

    async def cookie(self, username: str, *grants: str) -> str:
        """A new account's session."""
        self.browser.cookies.clear()
        first = await account(self.process.database, username, *grants)
        await log_in(self.browser, username, first)
        body = {"current": first, "new": PASSWORD}
        done = await self.browser.post("/api/v1/session/password", json=body)
        assert done.status_code == 200
        return "; ".join(f"{k}={v}" for k, v in self.browser.cookies.items())

    @contextlib.asynccontextmanager
    async def screen(self, cookie: str, **options: Any) -> AsyncIterator["Screen"]:
        """An open socket."""
        address = f"ws://127.0.0.1:{self.process.settings.http_port}/api/v1/live"
        async with connect(
            address, additional_headers={"Cookie": cookie}, proxy=None, max_size=None, **options
        ) as socket:
            yield Screen(socket)


@contextlib.asynccontextmanager
async def live_api(
    runtime: Runtime,
    rooms: Rooms,
    more: Callable[[Runtime], Iterable[Awaitable[None]]] = lambda _: (),
) -> AsyncIterator[Api]:
    """Serve these rooms and the live hub, and whatever keeps their columns."""
    settings = msgspec.structs.replace(runtime.settings, http_port=free_port())
    process = Runtime(settings, "api", runtime.database, runtime.bus, rooms)
    app = build_app(process, rooms.collect("routes"), rooms.permissions, rooms.roles)
    services = [serve(process, app), *(make() for make in service.services(process).values())]
    tasks = [asyncio.ensure_future(s) for s in (*services, *more(process))]
    base = f"http://127.0.0.1:{settings.http_port}"
    try:
        async with httpx.AsyncClient(base_url=base) as browser:
            for _ in range(1500):
                with contextlib.suppress(httpx.TransportError):
                    if (await browser.get("/healthz")).status_code == 200:
                        break
                await asyncio.sleep(0.02)
            yield Api(process, browser)
    finally:
        process.stopping.set()
        await end(tasks[1:])
        await asyncio.gather(*tasks, return_exceptions=True)


class Screen:
    """What a console does with frames."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.pictures: dict[str, Any] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.numbers: dict[str, int] = {}
        self.hints: list[Any] = []
        self.frames: list[Any] = []
        self.live: bool | None = None
        self.snapshots = 0

    async def ask(self, op: str, **more: Any) -> None:
        await self.socket.send(msgspec.json.encode({"op": op, **more}).decode())

    async def until(self, found: Callable[["Screen"], Any], within_s: float = 30) -> None:
        """Read frames until something holds."""
        deadline = time.monotonic() + within_s
        while not found(self):
            left = deadline - time.monotonic()
            assert left > 0, self.frames[-3:]
            frame = msgspec.json.decode(await asyncio.wait_for(self.socket.recv(), left))
            self.frames.append(frame)
            if frame["op"] == "heartbeat":
                self.live = frame["live"]
            for item in frame.get("items", ()):
                self.take(item)

    def errors(self) -> list[Any]:
        return [frame for frame in self.frames if frame["op"] == "error"]

    def items(self) -> list[Any]:
        return [item for frame in self.frames for item in frame.get("items", ())]

    def take(self, item: Any) -> None:
        if item["op"] == "snapshot":
            self.snapshots += 1
            self.pictures[item["channel"]] = item
        elif item["op"] == "delta":
            self._delta(item)
        elif item["op"] == "rows":
            self.rows[item["topic"]] = dict(item["rows"])
            self.numbers[item["topic"]] = item["seq"]
        elif item["op"] == "change":
            self._change(item)
        elif item["op"] == "drop":
            self.pictures.pop(item.get("channel"), None)
            self.rows.pop(item.get("topic"), None)

    def _delta(self, item: Any) -> None:
        picture = self.pictures[item["channel"]]
        assert item["prev"] == picture["seq"]
        picture["seq"] = item["seq"]
        for index, light in enumerate(item["id"]):
            row = picture["id"].index(light)
            for key in ("at", "flags", *(k for k in ("lon", "lat") if k in item)):
                picture[key][row] = item[key][index]
            for point, values in item["values"].items():
                picture["values"][point][row] = values[index]

    def _change(self, item: Any) -> None:
        topic = item["topic"]
        assert item["prev"] == self.numbers[topic]
        self.numbers[topic] = item["seq"]
        self.rows[topic].update(item["put"])
        for row in item["drop"]:
            self.rows[topic].pop(row, None)
        self.hints.append(item["hint"])

    def level(self, channel: str, light: int) -> Any:
        picture = self.pictures.get(channel)
        if picture is None or light not in picture["id"]:
            return None
        return picture["values"]["dimmingLevel"][picture["id"].index(light)]

    def flags(self, channel: str, light: int) -> int:
        picture = self.pictures[channel]
        return picture["flags"][picture["id"].index(light)]
