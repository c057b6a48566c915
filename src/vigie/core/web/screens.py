"""The screens: files of web/dist, read once into memory, pressed once."""

import asyncio
import gzip
import hashlib
import mimetypes
import re
from pathlib import Path
from typing import Any

from litestar import asgi
from litestar.exceptions import NotFoundException
from litestar.types import Receive, Scope, Send

import vigie

HOME = Path(vigie.__file__).resolve().parents[2] / "web" / "dist"
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.\w+$")
_MISSING = "The screens are not built yet: run `make web` in the repository (it needs Node), or `make run`."


class _File:
    def __init__(self, path: Path, name: str) -> None:
        self.body = path.read_bytes()
        self.kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if self.kind.startswith("text/") or self.kind == "application/javascript":
            self.kind += "; charset=utf-8"
        self.etag = f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'.encode()
        self.forever = name.startswith("assets/") and bool(_HASHED.search(name))
        pressed = gzip.compress(self.body, 6, mtime=0) if len(self.body) > 1000 else self.body
        self.pressed = pressed if len(pressed) < 0.9 * len(self.body) else None


class Screens:
    """The files, read again when a new build replaces index.html."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._built: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, path: str) -> _File | None:
        """The file of an address; index.html for an address that a screen handles itself."""
        async with self._lock:
            built = self._stamp()
            if built != self._built:
                self._files = await asyncio.to_thread(self._read) if built is not None else {}
                self._built = built
        name = path.lstrip("/") or "index.html"
        found = self._files.get(name)
        if found is None and "." not in name.rpartition("/")[2]:
            found = self._files.get("index.html")
        return found

    @property
    def built(self) -> bool:
        """True when there are screens to show."""
        return bool(self._files)

    def _stamp(self) -> float | None:
        try:
            return (self._folder / "index.html").stat().st_mtime
        except OSError:
            return None

    def _read(self) -> dict[str, _File]:
        names = (p.relative_to(self._folder).as_posix() for p in self._folder.rglob("*"))
        return {n: _File(self._folder / n, n) for n in names if (self._folder / n).is_file()}


def screens_handler(folder: Path | None) -> Any:
    """An ASGI handler for every address that is not of the API."""
    screens = Screens(folder or HOME)

    @asgi("/", is_mount=True, opt={"permission": "public"})
    async def serve_screens(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("raw_path", b"/").decode("latin-1")).partition("?")[0]
        if path.startswith(("/api/", "/api")) or scope["method"] not in ("GET", "HEAD"):
            raise NotFoundException
        found = await screens.find(path)
        if found is None:
            if screens.built:
                raise NotFoundException
            await _answer(send, 503, _MISSING.encode(), [(b"content-type", b"text/plain")])
            return
        await _send_file(scope, send, found)

    return serve_screens


async def _send_file(scope: Scope, send: Send, file: _File) -> None:
    asked = {name: value for name, value in scope["headers"]}
    headers = [
        (b"content-type", file.kind.encode()),
        (b"etag", file.etag),
        (b"vary", b"accept-encoding"),
        (
            b"cache-control",
            b"public, max-age=31536000, immutable" if file.forever else b"no-cache",
        ),
    ]
    if asked.get(b"if-none-match") == file.etag:
        await _answer(send, 304, b"", headers)
        return
    body = file.body
    if file.pressed is not None and b"gzip" in asked.get(b"accept-encoding", b""):
        body = file.pressed
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await _answer(send, 200, b"" if scope["method"] == "HEAD" else body, headers)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
