"""What must go through whatever one person or one device does: a command, a neighbour's reading.

A `Probe` goes on all the time. Again and again an operator commands a simulated lamp, over a
connection of its own as any request may need one, and waits until it is confirmed; and a device
beside publishes a reading, which is waited for on a live socket. Each begins on time whether or not
those before it have ended, so that what hangs hides nothing.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.support.centre import Centre
from vigie.core import clock
from vigie.gateways.mqtt import wire

WITHIN_S = 2.0
# What has not gone through by then is no longer waited for.
_GIVEN_UP_S = 8.0
_COMMAND_EVERY_S = 0.8
_READING_EVERY_S = 0.4
_ASK_EVERY_S = 0.15
_TRY_AGAIN = (429, 500, 502, 503, 504)


@dataclass
class Sample:
    """One command or reading; `stage` is how far it came, `ended` when it went through."""

    what: str
    began: float
    stage: str = "not sent"
    ended: float | None = None

    @property
    def late(self) -> bool:
        """It did not go through in time, or has not yet though its time is over."""
        return (self.ended or time.monotonic()) - self.began > WITHIN_S

    @property
    def open(self) -> bool:
        """Whether it may still go through in time."""
        return self.ended is None and not self.late

    def __str__(self) -> str:
        if self.ended is None:
            return f"{self.what}: {self.stage}, not through after {WITHIN_S:g} s"
        return f"{self.what}: through after {self.ended - self.began:.1f} s"


@dataclass(frozen=True)
class Neighbour:
    """A device beside the attacker: its client's login and a light whose readings are watched."""

    client: str
    secret: str
    shard: int
    device: str
    asset: int
    channel: str


class Probe:
    """Commands and readings without end, from a thread of its own."""

    def __init__(
        self, centre: Centre, session: dict[str, str], neighbour: Neighbour, lamps: list[int]
    ) -> None:
        self._centre = centre
        self._neighbour = neighbour
        self._lamps = itertools.cycle(lamps)
        self._levels = itertools.cycle((35, 60, 45, 80, 20))
        self._session = session
        self._samples: list[Sample] = []
        self._seen_at = 0.0
        self._line: wire.Connection | None = None
        self._numbers = itertools.count()
        self._boot = int(time.time()) % 30_000
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is dropped."""
        self._stop.set()
        self._thread.join(10)

    def await_calm(self, within_s: float) -> bool:
        """Wait for a command and a reading begun from now on that go through in time."""
        since, deadline = time.monotonic(), time.monotonic() + within_s
        while time.monotonic() < deadline:
            kinds = {
                sample.what
                for sample in list(self._samples)
                if sample.began >= since and sample.ended is not None and not sample.late
            }
            if len(kinds) == 2:
                return True
            time.sleep(0.05)
        return False

    def during(self, began: float, ended: float) -> list[Sample]:
        """All that began in this time, each through or late."""
        chosen = [sample for sample in list(self._samples) if began <= sample.began <= ended]
        while any(sample.open for sample in chosen):
            time.sleep(0.05)
        return chosen

    async def _run(self) -> None:
        async with httpx.AsyncClient(
            base_url=self._centre.url,
            headers=self._session,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            timeout=_GIVEN_UP_S,
            trust_env=False,
        ) as client:
            services = [
                self._begin("command", _COMMAND_EVERY_S, lambda s: self._command(s, client)),
                self._begin("reading", _READING_EVERY_S, self._reading),
                _again(self._keep_line),
                _again(self._watch),
            ]
            tasks = [asyncio.ensure_future(service) for service in services]
            while not self._stop.is_set():
                await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(
        self, what: str, every_s: float, do: Callable[[Sample], Awaitable[None]]
    ) -> None:
        async def one(sample: Sample) -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GIVEN_UP_S):
                    await do(sample)

        async with asyncio.TaskGroup() as group:
            while True:
                sample = Sample(what, time.monotonic())
                self._samples.append(sample)
                group.create_task(one(sample))
                await asyncio.sleep(every_s)

    async def _command(self, sample: Sample, client: httpx.AsyncClient) -> None:
        body = {
            "verb": "set_dimming_level",
            "params": {"level": next(self._levels)},
            "assets": [next(self._lamps)],
            "reason": "probe",
            "expires_in_s": 30,
        }
        headers = {"Idempotency-Key": f"probe-{time.monotonic_ns()}"}

        async def ask(method: str, path: str, **more: Any) -> Any:
            # As the console does: what may be tried again is, while there is time.
            while True:
                try:
                    answer = await client.request(method, f"/api/v1/commands{path}", **more)
                except httpx.HTTPError as error:
                    sample.stage = f"{method} {type(error).__name__}"
                else:
                    if answer.is_success:
                        return answer.json()
                    sample.stage = f"{method} answered {answer.status_code} {answer.text[:120]}"
                    if answer.status_code not in _TRY_AGAIN:
                        return None
                await asyncio.sleep(_ASK_EVERY_S)

        sample.stage = "sent, not answered"
        command = await ask("POST", "", json=body, headers=headers)
        while command is not None:
            sample.stage = f"accepted, {command['counts']}"
            if command["counts"]["confirmed"] == 1:
                sample.ended = time.monotonic()
                return
            await asyncio.sleep(_ASK_EVERY_S)
            command = await ask("GET", f"/{command['id']}")

    async def _reading(self, sample: Sample) -> None:
        at, number = clock.now(), next(self._numbers)
        reading = {
            "device": self._neighbour.device,
            "boot": self._boot,
            "n": number,
            "at": clock.rfc3339(at),
            "values": {"dimmingLevel": number % 100},
        }
        topic = f"up/{self._neighbour.shard}/{self._neighbour.client}/reading"
        message = wire.publish(topic, msgspec.json.encode(reading), number % 60_000 + 1)
        sent_on: wire.Connection | None = None
        while self._seen_at < at.timestamp() - 0.002:
            # A line that broke may have taken the message with it: sent again, as devices do.
            if self._line is not None and self._line is not sent_on:
                sent_on = self._line
                sent_on.writer.write(message)
                sample.stage = "sent, not on the live socket"
            await asyncio.sleep(0.02)
        sample.ended = time.monotonic()

    async def _keep_line(self) -> None:
        port = int(self._centre.environment["VIGIE_MQTT_PORT"])
        line = await wire.Connection.open(
            "127.0.0.1", port, self._neighbour.client, self._neighbour.secret, timeout_s=3
        )
        self._line = line
        try:
            while True:
                await line.receive()
        finally:
            self._line = None
            line.writer.close()

    async def _watch(self) -> None:
        url = self._centre.url
        async with connect(
            url.replace("http", "ws") + "/api/v1/live",
            additional_headers={"Cookie": self._session["Cookie"], "Origin": url},
            max_size=None,
            proxy=None,
            open_timeout=3,
            close_timeout=1,
        ) as socket:
            wish = {"op": "subscribe", "channels": [self._neighbour.channel]}
            await socket.send(msgspec.json.encode(wish).decode())
            async for frame in socket:
                for item in _items(msgspec.json.decode(frame)):
                    if self._neighbour.asset in item.get("id", ()):
                        at = item["at"][item["id"].index(self._neighbour.asset)]
                        self._seen_at = max(self._seen_at, at or 0.0)


def _items(frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in frame["items"] if frame["op"] == "batch" else [frame]:
        if item["op"] in ("snapshot", "delta"):
            yield item


async def _again(service: Callable[[], Awaitable[None]]) -> None:
    """A connection that is made again whenever it is lost."""
    while True:
        with contextlib.suppress(OSError, WebSocketException, wire.Refused, TimeoutError):
            await service()
        await asyncio.sleep(0.1)
