"""The little HTTP that tracking apps speak: GET or POST with OsmAnd's parameters, answered 200 when
the position is stored. No router, no files, no cookies; heads and bodies of a few kilobytes."""

import time
from http import HTTPStatus
from typing import Any

import httptools
import msgspec

from vigie.core import clock
from vigie.core.clock import epoch_ms
from vigie.core.errors import VigieError
from vigie.gateways.positions import osmand
from vigie.gateways.positions.door import Peer
from vigie.gateways.positions.model import Accept, Client, Clients, Malformed

MOST_HEAD = 8_192
_KEEP_ALIVE_S = 60.0


class Request(msgspec.Struct):
    """One request that arrived whole."""

    method: str = ""
    query: bytes = b""
    kind: str = ""
    secret: str = ""
    body: bytes = b""
    keep_alive: bool = False


class Parsing:
    """Bytes to requests, within limits. The methods are httptools' callbacks."""

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self)
        self._request = Request()
        self._head = 0
        self._started = False
        self.done: list[Request] = []

    @property
    def within(self) -> bool:
        """True in the middle of a request."""
        return self._started

    def feed(self, data: bytes) -> None:
        """More bytes. Raises Malformed."""
        try:
            self._parser.feed_data(data)
        except Malformed:
            raise
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # What a callback raised is inside.
            inner = error.__context__ or error.__cause__
            if isinstance(inner, Malformed):
                raise inner from None
            raise Malformed("not_http", "This is no HTTP request.") from None
        if self._head > MOST_HEAD:
            raise Malformed("too_large", "The head of a request is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._request, self._head, self._started = Request(), 0, True

    def on_url(self, url: bytes) -> None:
        """Its address, or a piece of it."""
        self._grow(len(url))
        self._request.query += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._grow(len(name) + len(value))
        match name.lower():
            case b"content-type":
                self._request.kind = value.decode("latin-1").partition(";")[0].strip().lower()
            case b"authorization":
                scheme, _, secret = value.decode("latin-1").partition(" ")
                if scheme.lower() == "bearer":
                    self._request.secret = secret.strip()
            case _:
                pass

    def on_body(self, body: bytes) -> None:
        """A piece of its body."""
        self._request.body += body
        if len(self._request.body) > osmand.MOST_BYTES:
            raise Malformed("too_large", "The body of a request is too long.")

    def on_message_complete(self) -> None:
        """It is whole."""
        request = self._request
        request.method = self._parser.get_method().decode("ascii", "replace")
        request.keep_alive = self._parser.should_keep_alive()
        request.query = request.query.partition(b"?")[2].partition(b"#")[0]
        self._started = False
        self.done.append(request)
        if len(self.done) > 100:
            raise Malformed("too_many", "Too many requests are sent without waiting.")

    def _grow(self, size: int) -> None:
        self._head += size
        if self._head > MOST_HEAD:
            raise Malformed("too_large", "The head of a request is too long.")


async def talk_osmand(peer: Peer, clients: Clients, accept: Accept) -> None:
    """Requests one after the other on one connection."""
    parsing = Parsing()
    ends = time.monotonic() + peer.limits.login_s
    while True:
        try:
            parsing.feed(await peer.read(max(ends - time.monotonic(), 0.001)))
        except Malformed as error:
            await _answer(peer, HTTPStatus.BAD_REQUEST, error.code, error.detail, keep=False)
            raise
        while parsing.done:
            request = parsing.done.pop(0)
            if not await _one(peer, request, clients, accept) or not request.keep_alive:
                return
        if not parsing.within:
            ends = time.monotonic() + _KEEP_ALIVE_S


async def _one(peer: Peer, request: Request, clients: Clients, accept: Accept) -> bool:
    """Answer one request; False when the connection is to end."""
    keep = request.keep_alive
    try:
        fields = _fields(request)
        login = osmand.login_of(fields)
        client = await _client(clients, login, request.secret)
        if client is None or not client.device:
            peer.counts["unknown_client"] += 1
            detail = "No tracker has this id and key."
            await _answer(peer, HTTPStatus.UNAUTHORIZED, "unknown_client", detail, keep=False)
            return False
        now = epoch_ms(clock.now())
        await accept([osmand.position_of(fields, now, client.token, client.device)])
    except Malformed as error:
        peer.counts[error.code] += 1
        await _answer(peer, HTTPStatus.BAD_REQUEST, error.code, error.detail, keep=keep)
        return True
    except VigieError as error:
        peer.counts[error.code] += 1
        status = HTTPStatus(error.status) if error.status < 500 else HTTPStatus.SERVICE_UNAVAILABLE
        await _answer(peer, status, error.code, error.detail, keep=keep)
        return True
    peer.counts["accepted"] += 1
    await _answer(peer, HTTPStatus.OK, "", "", keep=keep)
    return True


async def _client(clients: Clients, login: osmand.Login, secret: str) -> Client | None:
    return await clients.login(login.id, login.key or secret)


def _fields(request: Request) -> dict[str, str]:
    if request.method not in ("GET", "POST"):
        raise Malformed("wrong_method", "Positions come by GET or POST.")
    fields = osmand.decode_query(request.query)
    if request.method == "POST" and request.body:
        if request.kind == "application/json" or request.body.lstrip()[:1] == b"{":
            return fields | osmand.decode_json(request.body)
        return fields | osmand.decode_query(request.body.strip())
    return fields


async def _answer(peer: Peer, status: HTTPStatus, code: str, detail: str, *, keep: bool) -> None:
    body = b"" if not code else msgspec.json.encode({"code": code, "detail": detail})
    retry = "Retry-After: 10\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\n{retry}"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    await peer.write(head.encode() + body)
