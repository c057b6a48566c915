"""The screens: files of web/dist, read once into memory, pressed once."""

import asyncio
import gzip
import hashlib
import mimetypes
import re
from pathlib import Path

from litestar.types import HTTPScope, Send

import vigie
from vigie.core.errors import NotFound

HOME = Path(vigie.__file__).resolve().parents[2] / "web" / "dist"
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.\w+$")
_MISSING = "The screens are not built yet: run `make run`, or `npm ci && npm run build` in web/."


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

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder or HOME
        self._files: dict[str, _File] = {}
        self._built: float | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: HTTPScope, send: Send) -> None:
        """Answer one request. Raises NotFound for a file that is not there."""
        if scope["method"] not in ("GET", "HEAD"):
            raise NotFound("not_found", "There is nothing at this address.")
        found = await self.find(scope["path"])
        if found is not None:
            await _send_file(scope, send, found)
        elif self.built:
            raise NotFound("not_found", "There is no such file.")
        else:
            kind = (b"content-type", b"text/plain; charset=utf-8")
            await _answer(send, 503, _MISSING.encode(), [kind])

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


async def _send_file(scope: HTTPScope, send: Send, file: _File) -> None:
    asked = dict(scope["headers"])
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
