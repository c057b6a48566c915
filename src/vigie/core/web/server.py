"""Serves the app inside a process's own event loop and signals."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any

import uvicorn

from vigie.core.errors import SetupError
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.core.web.door import Listener, Place
from vigie.core.web.protocols import BoundedHttp

_GRACE_S = 3


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: socket.socket, settings: Settings):
        super().__init__(config)
        self._listening = listening
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, with connections that come through our door."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise RuntimeError("the app did not start: see the lines before")
        # It closes like the servers that uvicorn makes itself.
        listener: Any = Listener(self._listening, self._settings, self._protocol, self.config.ssl)
        self.servers = [listener]
        self.started = True

    def _protocol(self, place: Place) -> asyncio.Protocol:
        return BoundedHttp(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            settings=self._settings,
            place=place,
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The runtime owns the signals."""
        yield


async def serve(runtime: Runtime, app: Any, setting: str = "HTTP_PORT") -> None:
    """Serve until cancelled or told to stop; open requests get a few seconds to end.

    Raises SetupError when the port is taken or the certificate cannot be read."""
    settings = runtime.settings
    listener = listen(settings.http_host, settings.http_port, setting)
    try:
        config = uvicorn.Config(
            app,
            loop="none",
            http=BoundedHttp,
            ws="websockets-sansio",
            ws_max_size=settings.websocket_message_bytes,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            ws_per_message_deflate=False,
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=settings.tls_certificate or None,
            ssl_keyfile=settings.tls_key or None,
        )
        try:
            config.load()
        except OSError as error:
            raise SetupError(
                f"The certificate {settings.tls_certificate} with key {settings.tls_key} cannot "
                f"be used: {error}."
            ) from error
        server = _Server(config, listener, settings)
        running = asyncio.create_task(server.serve(), name="uvicorn")
        stopping = asyncio.create_task(runtime.stopping.wait(), name="uvicorn-stop")
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S + 2):
                    await running
    finally:
        listener.close()


def listen(host: str, port: int, setting: str = "HTTP_PORT") -> socket.socket:
    """The listening socket. Raises SetupError with what to do when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SetupError(
            f"Port {port} on {host} cannot be opened ({error.strerror}): stop what uses it or set "
            f"VIGIE_{setting}."
        ) from error
    listener.setblocking(False)
    return listener
