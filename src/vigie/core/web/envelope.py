"""What surrounds every request: its id, its log line, its metrics, and headers on every answer."""

import re
import time
from collections.abc import Iterable, MutableMapping
from typing import Any, cast

import msgspec
import structlog
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from vigie.core.errors import VigieError
from vigie.core.ids import uuid7
from vigie.core.logs import logger
from vigie.core.settings import Settings
from vigie.core.web import gauges
from vigie.core.web.compression import compressing
from vigie.core.web.hosts import check_host
from vigie.core.web.problems import MEDIA_TYPE, STATE_REQUEST_ID, malformed, problem_of
from vigie.core.web.screens import Screens

log = logger("vigie.request")

# Of the desks and of everyone: never a screen.
_API = ("/api/", "/public/")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CSP = (
    "default-src 'self'; script-src 'self'; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(self), microphone=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class Envelope:
    """An ASGI app around the app: it sees also what no route matches."""

    def __init__(
        self,
        app: ASGIApp,
        screens: Screens,
        settings: Settings,
        routes: Iterable[str],
    ) -> None:
        self._app = app
        self._screens = screens
        self._settings = settings
        # Litestar prefers a mount at "/" to any route with a parameter, so the ways part here.
        self._outside_api = frozenset(path for path in routes if not path.startswith(_API))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        headers = _headers(scope)
        request_id = _request_id(headers)
        cast("MutableMapping[str, Any]", scope["state"])[STATE_REQUEST_ID] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if scope["type"] == "websocket":
                await self._socket(scope, headers, receive, send)
            else:
                await self._request(cast("HTTPScope", scope), headers, request_id, receive, send)

    async def _socket(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        try:
            check_host(self._settings, _hosts(scope))
        except VigieError:
            await send({"type": "websocket.close", "code": 4403, "reason": "wrong_host"})
            return
        with gauges.SOCKETS.track_inprogress():
            await self._app(scope, receive, send)

    async def _request(
        self,
        scope: HTTPScope,
        headers: dict[bytes, bytes],
        request_id: str,
        receive: Receive,
        send: Send,
    ) -> None:
        started = time.perf_counter()
        status, size = 0, 0
        extra = [*_HEADERS, (b"x-request-id", request_id.encode())]
        if scope["scheme"] == "https":
            extra.append(_HSTS)
        api = scope["path"].startswith(_API)

        async def watch(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                own = list(message.get("headers", []))
                names = {name.lower() for name, _ in own}
                own += [header for header in extra if header[0] not in names]
                if api and b"cache-control" not in names:
                    own.append((b"cache-control", b"no-store"))
                message["headers"] = own
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        out = compressing(watch, headers)
        try:
            check_host(self._settings, _hosts(scope))
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise malformed("An address may not hold the character NUL.")
            if api or scope["path"] in self._outside_api:
                await self._app(scope, receive, out)
            else:
                await self._screens(scope, out)
        except VigieError as error:
            await _refuse(error, request_id, out)
        finally:
            taken = time.perf_counter() - started
            route = str(scope.get("path_template") or ("/api" if api else "/"))
            method = scope["method"] if scope["method"] in gauges.METHODS else "other"
            gauges.REQUESTS.labels(method, route, str(status)).inc()
            gauges.LATENCY.labels(method, route).observe(taken)
            caller = scope["state"].get("caller")
            log.info(
                "request",
                method=method,
                path=scope["path"],
                status=status,
                ms=round(taken * 1000, 1),
                bytes=size,
                client=(scope["client"] or ("",))[0],
                who=caller.principal.name if caller else "",
            )


async def _refuse(error: VigieError, request_id: str, send: Send) -> None:
    body = msgspec.json.encode(problem_of(error, request_id))
    await send(
        {
            "type": "http.response.start",
            "status": error.status,
            "headers": [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return dict(cast("list[tuple[bytes, bytes]]", scope["headers"]))


def _hosts(scope: Scope) -> str:
    """The Host header; of several, which is none of ours, all: else one would be checked and
    another believed."""
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"host")


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid7())
