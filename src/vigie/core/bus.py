"""The nervous system: one NATS connection a process, reconnecting for ever."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext

from vigie.core.errors import SetupError, Unavailable
from vigie.core.logs import logger
from vigie.core.tasks import end

log = logger(__name__)
OLDEST = (2, 11, 0)


class Bus:
    """Publish, subscribe, and reach JetStream; messages here wake and fan out, never hold facts."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.closing = False

    @classmethod
    async def connect(cls, url: str, name: str, *, wait_s: float = 30.0) -> "Bus":
        """A connection that outlives the server's restarts.

        Raises SetupError when the server is too old or does not answer in `wait_s` seconds.
        """

        made: list[Bus] = []
        said: list[Exception] = []

        async def on_error(error: Exception) -> None:
            if made:
                log.warning("bus_error", error=repr(error))
            # What the server said of us tells more than that it hung up, before or after.
            if not said or isinstance(error, nats.errors.Error) or isinstance(said[0], OSError):
                said[:] = [error]

        async def on_disconnect() -> None:
            if made and not made[0].closing:
                log.warning("bus_disconnected")

        async def on_reconnect() -> None:
            log.info("bus_reconnected")

        client = Client()
        try:
            # A client that never gives up later on does not give up now either: so the time limit.
            async with asyncio.timeout(wait_s):
                await client.connect(
                    url,
                    name=name,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.25,  # type: ignore[arg-type]
                    connect_timeout=5,
                    ping_interval=5,
                    max_outstanding_pings=3,
                    pending_size=32 * 1024 * 1024,
                    error_cb=on_error,
                    disconnected_cb=on_disconnect,
                    reconnected_cb=on_reconnect,
                )
        except (TimeoutError, OSError, nats.errors.Error) as error:
            with contextlib.suppress(Exception):
                await client.close()
            raise SetupError(
                f"NATS at {redacted(url)} does not answer: {(said or [error])[-1]!r}"
            ) from error
        version = client.connected_server_version
        if (version.major, version.minor, version.patch) < OLDEST:
            await client.close()
            raise SetupError(
                f"NATS {version} at {redacted(url)} is too old: it lacks what device logins need; "
                "Vigie needs 2.11 or newer."
            )
        made.append(cls(client))
        return made[0]

    @property
    def connected(self) -> bool:
        """True while the server answers."""
        return self.client.is_connected

    def jetstream(self, timeout_s: float = 5.0) -> JetStreamContext:
        """JetStream's API."""
        return self.client.jetstream(timeout=timeout_s)

    async def publish(
        self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        """Fan out at most once. Raises Unavailable when the way out is full."""
        try:
            await self.client.publish(subject, payload, headers=headers)
        except (nats.errors.Error, OSError) as error:
            raise Unavailable("bus_unavailable", f"NATS is away: {error!r}") from error

    async def subscribe(
        self, subject: str, handler: Callable[[Msg], Awaitable[None]], *, queue: str = ""
    ) -> Subscription:
        """Call `handler` for each message; nats-py resubscribes after a reconnect."""
        return await self.client.subscribe(subject, queue=queue, cb=handler)

    async def request(self, subject: str, payload: bytes = b"", timeout_s: float = 2.0) -> bytes:
        """One question, one answer."""
        try:
            answer = await self.client.request(subject, payload, timeout=timeout_s)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise Unavailable("bus_unavailable", f"NATS is away: {error!r}") from error
        return answer.data

    async def close(self) -> None:
        """Flush and leave."""
        self.closing = True
        # Tasks of their own: the client swallows cancellations, and raises some of its own.
        leaving = asyncio.create_task(self.client.drain())
        await asyncio.wait({leaving}, timeout=2)
        closing = asyncio.create_task(self.client.close())
        await asyncio.wait({closing}, timeout=2)
        await end([leaving, closing])


class Wakeup:
    """Sleeps until a subject says something or a time passed: work is found in the database, a
    lost wake-up only makes it later."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._subscriptions: list[Subscription] = []

    async def on(self, bus: Bus, subject: str) -> "Wakeup":
        """Listen to one more subject."""

        async def hear(_message: Msg) -> None:
            self._event.set()

        self._subscriptions.append(await bus.subscribe(subject, hear))
        return self

    async def close(self) -> None:
        """Stop listening."""
        for subscription in self._subscriptions:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()
        self._subscriptions.clear()

    def set(self) -> None:
        """Wake it from inside this process."""
        self._event.set()

    async def wait(self, at_most_s: float) -> None:
        """Sleep."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._event.wait()
        self._event.clear()


def redacted(url: str) -> str:
    """An address without its password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


Payload = dict[str, Any]
