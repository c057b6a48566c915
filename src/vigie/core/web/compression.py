"""gzip for answers that are text; large ones are pressed in a thread, not on the event loop."""

import asyncio
import zlib
from typing import Any, cast

from litestar.types import Message, Send

_LEAST = 1000
_IN_THREAD = 32_768
_LEVEL = 5
_TEXT = ("text/", "application/json", "application/geo+json", "application/problem+json",
         "application/javascript", "application/vnd.oai.openapi+json", "image/svg+xml")  # fmt: skip


def compressing(send: Send, request_headers: dict[bytes, bytes]) -> Send:
    """`send`, pressing what is worth it when the client takes gzip."""
    if b"gzip" not in request_headers.get(b"accept-encoding", b"").lower():
        return send
    return _Compressor(send)


class _Compressor:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: dict[str, Any] | None = None
        self._press: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = cast("dict[str, Any]", message)
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            if _worth(start, len(body), more):
                self._press = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
                start["headers"] = [
                    (name, value)
                    for name, value in start["headers"]
                    if name.lower() not in (b"content-length", b"vary")
                ] + [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
                if not more:
                    body = await self._pressed(body, False)
                    start["headers"].append((b"content-length", str(len(body)).encode()))
                    self._press = None
            await self._send(cast("Message", start))
        if self._press is not None:
            body = await self._pressed(body, more)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _pressed(self, body: bytes, more: bool) -> bytes:
        if len(body) > _IN_THREAD:
            return await asyncio.to_thread(self._step, body, more)
        return self._step(body, more)

    def _step(self, body: bytes, more: bool) -> bytes:
        out = self._press.compress(body)
        return out + self._press.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)


def _worth(start: dict[str, Any], size: int, more: bool) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    kind = headers.get(b"content-type", b"").decode("latin-1").lower()
    return (
        (more or size >= _LEAST)
        and b"content-encoding" not in headers
        and start["status"] not in (204, 304)
        and kind.startswith(_TEXT)
    )
