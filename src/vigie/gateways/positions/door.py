"""A TCP port and who stands at it: how many, for how long, how much. What is said is the protocol's
(`talks`, `http`); here nobody holds a connection, memory or time that is not theirs.
"""

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from vigie.core.errors import SetupError, VigieError
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.positions.model import Accept, Clients, Malformed

log = logger(__name__)
T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True):
    """What one door allows. Trackers of one operator may share an address."""

    connections: int = 5_000
    per_address: int = 1_000
    login_s: float = 15.0
    idle_s: float = 1_800.0
    piece_s: float = 60.0
    write_s: float = 10.0
    line_bytes: int = 16_384


class Left(Exception):
    """The peer left, or took too long."""


class Peer:
    """One connection, read and written within limits."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
        counts: "Counter[str]",
    ) -> None:
        self._reader, self._writer = reader, writer
        self.limits = limits
        self.counts = counts

    async def read(self, within_s: float) -> bytes:
        """What arrives next. Raises Left."""
        return await self._within(self._reader.read(4096), within_s)

    async def line(self, within_s: float) -> bytes:
        """The next line, without its end. Raises Left, Malformed for one that is too long."""
        # Nothing for long is a peer that has nothing to say; half a line for long is not.
        first = await self._within(self._reader.readexactly(1), within_s)
        if first == b"\n":
            return b""
        try:
            rest = await self._within(self._reader.readuntil(b"\n"), self.limits.piece_s)
        except asyncio.LimitOverrunError:
            raise Malformed("too_large", "A line is too long.") from None
        return (first + rest).rstrip(b"\r\n")

    async def write(self, data: bytes) -> None:
        """Send. Raises Left when the peer takes nothing."""
        self._writer.write(data)
        await self._within(self._writer.drain(), self.limits.write_s, empty_ends=False)

    async def _within(self, doing: Awaitable[T], within_s: float, *, empty_ends: bool = True) -> T:
        try:
            async with asyncio.timeout(within_s):
                done = await doing
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise Left from error
        if empty_ends and done == b"":
            raise Left
        return done


Talk = Callable[[Peer, Clients, Accept], Awaitable[None]]


class Door:
    """One port of one protocol."""

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        port: int,
        talk: Talk,
        clients: Clients,
        accept: Accept,
        limits: Limits | None = None,
    ) -> None:
        self._runtime = runtime
        self.name = name
        self.port = port
        self._talk = talk
        self._clients, self._accept = clients, accept
        self.limits = limits or Limits()
        self.counts: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._told = 0.0
        self._talking: set[asyncio.Task[Any]] = set()
        self.ready = asyncio.Event()

    async def keep(self) -> None:
        """Serve until cancelled. Raises SetupError when the port is taken."""
        settings = self._runtime.settings
        component = self._runtime.component(f"positions-{self.name}")
        try:
            server = await asyncio.start_server(
                self._hear,
                settings.positions_host,
                self.port,
                limit=self.limits.line_bytes,
                ssl=_tls(settings.tls_certificate, settings.tls_key),
            )
        except OSError as error:
            raise SetupError(
                f"Port {self.port} on {settings.positions_host} cannot be opened "
                f"({error.strerror}): set VIGIE_POSITIONS_{self.name.upper()}_PORT."
            ) from error
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        component.set("ok")
        try:
            async with server:
                await server.serve_forever()
        finally:
            for task in self._talking:
                task.cancel()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ("",))[0])
        full = self._open.total() >= self.limits.connections
        if full or self._open[address] >= self.limits.per_address:
            self._turn_away("full", address)
            writer.transport.abort()
            return
        self._open[address] += 1
        task = asyncio.current_task()
        if task is not None:
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)
        try:
            peer = Peer(reader, writer, self.limits, self.counts)
            await self._talk(peer, self._clients, self._accept)
        except Malformed as error:
            self._turn_away(error.code, address)
        except Left:
            pass
        except VigieError as error:
            # Nothing was acknowledged: the peer sends it again.
            self._turn_away(error.code, address)
        except Exception:
            log.exception("positions_failed", protocol=self.name)
        finally:
            self._open[address] -= 1
            if self._open[address] <= 0:
                del self._open[address]
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(self.limits.write_s):
                    await writer.wait_closed()

    def _turn_away(self, code: str, address: str) -> None:
        """Count why a connection ended; say so in the log once in ten seconds."""
        self.counts[code] += 1
        now = time.monotonic()
        if now - self._told >= 10:
            self._told = now
            log.info(
                "positions_refused", protocol=self.name, code=code, client=address,
                so_far=dict(self.counts),
            )  # fmt: skip


def _tls(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key or None)
    except OSError as error:
        raise SetupError(f"The certificate {certificate} cannot be used: {error}.") from error
    return context
