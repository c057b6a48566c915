"""Whether devices may be connected: shut long before the stream that holds their readings is full.

Judged by each gateways process from the same facts, without the database: a database that is away
is the very reason why the stream fills.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from sqlalchemy import text

from vigie.core import clock
from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.clients import StreamState
from vigie.gateways.ingest import waiting_by_client, why_shut
from vigie.gateways.mqtt.streams import UPWARD, stream_state

log = logger(__name__)
ASK = "gateways.admission"


class Status(msgspec.Struct, frozen=True):
    """Admission as told to people and other processes."""

    open: bool
    reason: str
    since: str
    stream_bytes: int
    stream_limit: int
    stream_messages: int


class Admission:
    """Open or shut, why, and since when."""

    def __init__(
        self, runtime: Runtime, on_close: Callable[[], Awaitable[None]], *, every_s: float = 0.5
    ) -> None:
        self._runtime = runtime
        self._on_close = on_close
        self._every_s = every_s
        self.open = True
        self.reason = ""
        self.since = clock.rfc3339(clock.now())
        self.stream = StreamState(0, 0, runtime.settings.stream_max_bytes)
        self._subscription: Subscription | None = None

    @property
    def status(self) -> Status:
        """What to tell."""
        return Status(
            self.open,
            self.reason,
            self.since,
            self.stream.bytes,
            self.stream.limit,
            self.stream.messages,
        )

    async def waiting(self) -> dict[str, int]:
        """How many messages of each client wait in the stream. Raises Unavailable."""
        return await waiting_by_client(self._runtime.bus, UPWARD)

    async def join(self) -> None:
        """Agree with the processes that run already: between the thresholds the past decides."""
        bus = self._runtime.bus
        try:
            answer = await bus.request(ASK, timeout_s=0.3)
            told = msgspec.json.decode(answer, type=Status)
            self.open, self.reason, self.since = told.open, told.reason, told.since
        except (Unavailable, msgspec.MsgspecError):
            pass

        async def tell(message: Msg) -> None:
            await message.respond(msgspec.json.encode(self.status))

        self._subscription = await bus.subscribe(ASK, tell, queue="gateways")

    async def close(self) -> None:
        """Answer no more."""
        if self._subscription:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._subscription.unsubscribe()
            self._subscription = None

    async def keep(self) -> None:
        """Service: look at the stream twice a second and decide."""
        written = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.stream = await stream_state(self._runtime.bus)
            except Unavailable:
                self._runtime.component("admission").set("degraded", "stream_unavailable")
                await asyncio.sleep(1)
                continue
            changed = await self._judge()
            if changed or loop.time() - written > 5:
                written = loop.time()
                await self._write()
            await asyncio.sleep(self._every_s)

    async def _judge(self) -> bool:
        reason = why_shut(self._runtime.settings, self.open, self.stream.share)
        was, self.open, self.reason = self.open, not reason, reason
        component = self._runtime.component("admission")
        facts = {"bytes": self.stream.bytes, "limit": self.stream.limit}
        if self.open:
            component.set("ok", "", **facts)
        else:
            component.set("degraded", "admission_closed", reason=reason, **facts)
        if was == self.open:
            return False
        self.since = clock.rfc3339(clock.now())
        log.warning("admission_opened" if self.open else "admission_closed", reason=reason, **facts)
        if not self.open:
            await self._on_close()
        return True

    async def _write(self) -> None:
        """For the system page; best effort, since admission must not need the database."""
        try:
            async with self._runtime.database.unit(statement_timeout_s=2) as unit:
                await unit.execute(
                    text(
                        "insert into gateways.admission values"
                        " (true, :open, :reason, cast(:since as timestamptz), :bytes, :limit,"
                        " :messages, now()) on conflict (singleton) do update set"
                        " open = excluded.open, reason = excluded.reason, since = excluded.since,"
                        " stream_bytes = excluded.stream_bytes,"
                        " stream_limit = excluded.stream_limit,"
                        " stream_messages = excluded.stream_messages, measured = excluded.measured"
                    ),
                    {
                        "open": self.open,
                        "reason": self.reason,
                        "since": self.since,
                        "bytes": self.stream.bytes,
                        "limit": self.stream.limit,
                        "messages": self.stream.messages,
                    },
                )
        except Exception as error:
            log.info("admission_not_written", cause=type(error).__name__)
