"""uvicorn's HTTP and WebSocket protocols with bounds on what a client may send, and how slowly.

The parsers keep what they have not understood yet for as long as it takes; here bytes, headers,
frames and time are counted while they arrive, and the app never sees a request over the limit.
Refused are 414 (address), 431 (headers), 408 (time), 429 (requests in a row); then the connection
closes.
"""

import asyncio
from functools import partial
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from vigie.core.errors import TooLarge, TooMany, VigieError
from vigie.core.settings import Settings
from vigie.core.web import gauges
from vigie.core.web.door import Place, refusal
from vigie.core.web.problems import malformed

# Fed to the parsers in pieces, so that what they hold between two looks stays small.
_PIECE = 16_384
_MOST_PIPELINED = 16
_MOST_FRAGMENTS = 64
_BURST_S = 10
# After an answer the rest of a request is read and dropped for a while: a connection closed on
# unread bytes is reset, and the answer lost.
_LINGER_S = 2.0
_LINGER_BYTES = 1_000_000


class _UrlTooLong(TooLarge):
    status = 414
    title = "Address too long"


class _HeadersTooLarge(TooLarge):
    status = 431
    title = "Headers too large"


class _TooSlow(VigieError):
    status = 408
    title = "Request timed out"


class BoundedHttp(HttpToolsProtocol):
    """One HTTP connection."""

    def __init__(self, *, settings: Settings, place: Place, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._limits = settings
        self._place = place
        # Calls like the class, with our two arguments filled in.
        self.ws_protocol_class = partial(BoundedWebSocket, settings=settings, place=place)  # type: ignore[assignment]
        self._part = "idle"  # idle, head or body: what of a request is awaited
        self._begun = False
        self._deadline: asyncio.TimerHandle | None = None
        self._reader_deadline: asyncio.TimerHandle | None = None
        self._stopped: VigieError | None = None  # why the parser was stopped
        self._refusal: VigieError | None = None
        self._dropped = 0
        self._head_size = 0
        self._url_size = 0
        self._header_count = 0
        self._understood = 0  # counts the parser's callbacks
        self._pending = 0  # bytes given to the parser since the last of them

    # What arrives

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._await(self._limits.http_header_seconds)

    def data_received(self, data: bytes) -> None:
        """Feed the parser piece by piece, and stop at the first limit."""
        if self._refusal is not None:
            self._drop(len(data))
            return
        self._begun = True
        self._unset_keepalive_if_required()
        if self._deadline is None and self._part == "idle":
            self._await(self._limits.http_header_seconds)
        for start in range(0, len(data), _PIECE):
            if not self._feed(data[start : start + _PIECE]):
                return

    def _feed(self, piece: bytes) -> bool:
        understood = self._understood
        try:
            cast(Any, self.parser).feed_data(piece)
        except httptools.HttpParserUpgrade:
            # An upgrade to anything but a WebSocket is passed over, as HTTP allows.
            if self._should_upgrade():
                self._disarm()
                self.handle_websocket_upgrade()
            return False
        except httptools.HttpParserError:
            self._refuse(self._stopped or malformed("This is not an HTTP request."))
            return False
        self._pending = 0 if self._understood != understood else self._pending + len(piece)
        if self._pending > self._limits.http_header_bytes:
            self._refuse(self._headers_too_large())
            return False
        return not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back and stop all clocks."""
        self._place.leave()
        self._disarm()
        self._forget_reader()
        super().connection_lost(exc)

    # What the parser finds: raising here stops it, and `_feed` answers

    def on_message_begin(self) -> None:
        """A request begins."""
        self._understood += 1
        self._part = "head"
        self._head_size = self._url_size = self._header_count = self._dropped = 0
        if len(self.pipeline) >= _MOST_PIPELINED:
            self._stop(TooMany("too_many_requests_in_a_row", "Wait for answers before you ask on."))
        if self._deadline is None:
            self._await(self._limits.http_header_seconds)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._understood += 1
        self._url_size += len(url)
        if self._url_size > self._limits.http_url_bytes:
            self._stop(
                _UrlTooLong(
                    "url_too_long",
                    f"The address is longer than {self._limits.http_url_bytes} bytes.",
                    {"limit": self._limits.http_url_bytes},
                )
            )
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer after a chunked body."""
        self._understood += 1
        self._header_count += 1
        if self._header_count > self._limits.http_header_count:
            self._stop(self._headers_too_large())
        self._count_head(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The app starts; a body gets its own time."""
        self._understood += 1
        self._part = "body"
        self._await(self._limits.http_body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body; its size is the app's own limit, and after it answers, ours."""
        self._understood += 1
        if self.cycle.response_complete:
            self._drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._understood += 1
        self._part = "idle"
        self._disarm()
        super().on_message_complete()

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._limits.http_header_bytes:
            self._stop(self._headers_too_large())

    def _headers_too_large(self) -> VigieError:
        return _HeadersTooLarge(
            "headers_too_large",
            f"The headers are more than {self._limits.http_header_bytes} bytes or "
            f"{self._limits.http_header_count} lines: send less, for example fewer cookies.",
            {"limit": self._limits.http_header_bytes, "count": self._limits.http_header_count},
        )

    def _stop(self, error: VigieError) -> None:
        """Make the parser stop at once, with the reason kept for `_feed`."""
        self._stopped = error
        raise error

    # Time

    def _await(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self._part == "body" and self.flow.read_paused:
            # We did not read on, because the app has not taken what is here: not their delay.
            self._await(self._limits.http_body_seconds)
        elif not self._begun:
            self.transport.close()
        else:
            self._refuse(
                _TooSlow("request_timeout", "The request did not arrive in time: send it again.")
            )

    def pause_writing(self) -> None:
        """The client takes no more for now: it may not do so for ever."""
        super().pause_writing()
        if self._reader_deadline is None:
            self._reader_deadline = self.loop.call_later(
                self._limits.http_reader_seconds, self._stuck
            )

    def resume_writing(self) -> None:
        """It takes again."""
        self._forget_reader()
        super().resume_writing()

    def _stuck(self) -> None:
        gauges.TURNED_AWAY.labels("reader_too_slow").inc()
        self.transport.abort()

    def _forget_reader(self) -> None:
        if self._reader_deadline is not None:
            self._reader_deadline.cancel()
            self._reader_deadline = None

    # Refusing

    def _refuse(self, error: VigieError) -> None:
        """Answer when an answer can still be in its place, and close."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._refusal = error
        self._disarm()
        self._unset_keepalive_if_required()
        gauges.TURNED_AWAY.labels(error.code).inc()
        cycle = self.cycle
        running = bool(cycle) and not cycle.response_complete
        # In "body" the running answer is this request's own; otherwise it is an earlier one's.
        answerable = not running or (
            self._part == "body" and not self.pipeline and not cycle.response_started
        )
        if running:
            cycle.disconnected = True
            cycle.message_event.set()
        self.pipeline.clear()
        if not answerable:
            self.transport.close()
            return
        self.transport.write(refusal(error, self.server_state.default_headers))
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._deadline = self.loop.call_later(_LINGER_S, self.transport.abort)

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > _LINGER_BYTES:
            self.transport.abort()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One live screen's connection; the size of a message is uvicorn's `ws_max_size`."""

    def __init__(self, *, settings: Settings, place: Place, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._place = place
        self._rate = settings.websocket_frames_per_second
        self._left = float(self._rate * _BURST_S)
        self._counted_at = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._place.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser piece by piece."""
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _PIECE])

    def handle_events(self) -> None:
        """Count frames of every kind, pings too: each costs an answer."""
        now = self.loop.time()
        self._left = min(
            self._left + (now - self._counted_at) * self._rate, float(self._rate * _BURST_S)
        )
        self._counted_at = now
        self._left -= len(self.conn.events)
        if self._left < 0:
            self.conn.events_received()
            self._fail(1008, "too many frames")
        else:
            super().handle_events()

    def handle_cont(self, event: Frame) -> None:
        """A message in pieces: small pieces cost more than their bytes."""
        if len(self.frames) >= _MOST_FRAGMENTS:
            self._fail(1009, "too many fragments")
        else:
            super().handle_cont(event)

    def _fail(self, code: int, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        gauges.TURNED_AWAY.labels("websocket_" + reason.replace(" ", "_")).inc()
        self.conn.fail(code, reason)
        self.handle_parser_exception()
