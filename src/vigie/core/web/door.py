"""The HTTP door: who may connect, counted before a byte of theirs is read.

uvicorn is handed sockets that were accepted here, so that a connection counts from its first
moment: a TLS handshake that never ends holds a place like any other. See decision 12.
"""

import asyncio
import contextlib
import ipaddress
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from vigie.core.errors import TooMany, Unavailable, VigieError
from vigie.core.logs import logger
from vigie.core.settings import Settings
from vigie.core.tasks import end
from vigie.core.web import gauges
from vigie.core.web.problems import MEDIA_TYPE, headers_of, problem_of

log = logger(__name__)
# Files a process needs for everything but visitors: engines, logs, libraries.
_OTHER_FILES = 256
_ACCEPTED_AT_ONCE = 64
_OUT_OF_FILES_PAUSE_S = 0.5


class Place:
    """One connection's share of the door; given back once, whoever notices the end first."""

    def __init__(self, door: "Door", neighbourhood: str) -> None:
        self._door = door
        self._neighbourhood = neighbourhood
        self._held = True

    def leave(self) -> None:
        """Give the place back."""
        if self._held:
            self._held = False
            self._door.left(self._neighbourhood)


class Door:
    """Counts connections, in all and by address."""

    def __init__(self, settings: Settings) -> None:
        self._most = min(settings.http_connections, _files_for(settings.http_connections))
        self._most_each = settings.http_connections_per_address
        self._proxies = [ipaddress.ip_network(proxy) for proxy in settings.proxies]
        self._open = 0
        self._by: Counter[str] = Counter()

    def enter(self, address: str) -> Place:
        """A place for a visitor from this address. Raises TooMany or Unavailable."""
        if self._open >= self._most:
            raise Unavailable(
                "too_many_connections",
                "This centre holds as many connections as it can: try again.",
                retry_after_s=5,
            )
        neighbourhood = neighbourhood_of(address)
        if self._by[neighbourhood] >= self._most_each and not self._is_proxy(address):
            raise TooMany(
                "too_many_connections",
                "Your address holds as many connections as it may: close some and try again.",
                retry_after_s=5,
            )
        self._open += 1
        self._by[neighbourhood] += 1
        gauges.CONNECTIONS.set(self._open)
        return Place(self, neighbourhood)

    def left(self, neighbourhood: str) -> None:
        """A connection from there ended."""
        self._open -= 1
        self._by[neighbourhood] -= 1
        if not self._by[neighbourhood]:
            del self._by[neighbourhood]
        gauges.CONNECTIONS.set(self._open)

    def _is_proxy(self, address: str) -> bool:
        with contextlib.suppress(ValueError):
            visitor = ipaddress.ip_address(address.partition("%")[0])
            return any(visitor in network for network in self._proxies)
        return False


def neighbourhood_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 a household or host is given."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Listener:
    """Accepts connections, turns away whom the door does not let in, and starts a protocol each."""

    def __init__(
        self,
        listening: socket.socket,
        settings: Settings,
        protocol: Callable[[Place], asyncio.Protocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._socket = listening
        self._settings = settings
        self._protocol = protocol
        self._tls = tls
        self._door = Door(settings)
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._open()

    def close(self) -> None:
        """Accept no more; connections that are open go on."""
        self._loop.remove_reader(self._socket)
        if self._again:
            self._again.cancel()

    async def wait_closed(self) -> None:
        """Until no handshake is under way."""
        await end(self._starting)

    def _open(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # Out of files or memory: those who wait stay in the queue until some are free.
                log.error("connection_not_accepted", detail=error.strerror)
                self._loop.remove_reader(self._socket)
                self._again = self._loop.call_later(_OUT_OF_FILES_PAUSE_S, self._open)
                return
            connection.setblocking(False)
            try:
                place = self._door.enter(str(peer[0]))
            except VigieError as error:
                self._turn_away(connection, error)
                continue
            task = self._loop.create_task(self._start(connection, place))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start(self, connection: socket.socket, place: Place) -> None:
        started = False

        def protocol() -> asyncio.Protocol:
            nonlocal started
            started = True
            return self._protocol(place)

        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The kernel ends a connection whose client takes nothing, also while it closes.
            patience = int(self._settings.http_reader_seconds * 1000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience)
            await self._loop.connect_accepted_socket(
                protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self._settings.http_header_seconds if self._tls else None,
            )
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            # No TLS, or not in time: nobody to answer.
            place.leave()
            connection.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            gauges.TURNED_AWAY.labels("handshake_failed").inc()

    def _turn_away(self, connection: socket.socket, error: VigieError) -> None:
        """Answer with what fits into the socket's buffer, and close: it must cost nothing."""
        gauges.TURNED_AWAY.labels(error.code).inc()
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                # What the client sent is read first: closing on unread bytes resets the answer.
                with contextlib.suppress(BlockingIOError):
                    connection.recv(65_536)
                connection.send(refusal(error))


def refusal(error: VigieError, headers: list[tuple[bytes, bytes]] | None = None) -> bytes:
    """A whole HTTP/1.1 answer that closes the connection."""
    body = msgspec.json.encode(problem_of(error, ""))
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
    lines += [name + b": " + value for name, value in headers or ()]
    lines += [f"{name.lower()}: {value}".encode() for name, value in headers_of(error).items()]
    lines += [
        f"content-type: {MEDIA_TYPE}".encode(),
        f"content-length: {len(body)}".encode(),
        b"connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _files_for(connections: int) -> int:
    """How many connections the process may hold open files for; the limit is raised if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    wanted = connections + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(soft - _OTHER_FILES, 16)
