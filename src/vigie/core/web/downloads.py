"""Downloads: everything a selection finds, at the client's pace, without holding a connection.

    @get("/assets.csv", permission="twin.read", media_type="text/csv")
    async def export_csv(export: Export, filter_: Filter = "") -> Stream:
        return await export(lambda unit: rows_as_csv(unit, filter_), "text/csv", "assets.csv")

The statement runs at full speed, on a connection kept for downloads, into a file without a name;
the client is then sent the file. A client that takes nothing for a while, or not all in time, is
let go; what it held is a file that is gone with it.
"""

import asyncio
import contextlib
import os
import tempfile
import weakref
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from litestar import Request
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Message, Receive, Scope, Send

from vigie.core.database import Unit
from vigie.core.errors import TooLarge, TooMany, Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.scope import Principal

log = logger(__name__)
OpenUnit = Callable[[], AbstractAsyncContextManager[Unit]]
Write = Callable[[Unit], AsyncGenerator[bytes, None]]

MOST = 8
MOST_EACH = 2
STALL_S = 30.0
_MOST_BYTES = 1_000_000_000
_LEAST_FREE = 500_000_000
_PIECE = 65_536


class Export(Protocol):
    """What a handler that asks for `export` gets: writes a download and answers with it."""

    async def __call__(self, write: Write, media_type: str, filename: str) -> Stream:
        """Run `write` in a unit in the caller's scope; the answer sends what it yielded."""
        ...


class Downloads:
    """The downloads of this process: some at once, fewer of one person."""

    def __init__(self, runtime: Runtime) -> None:
        self._folder = runtime.settings.root / "tmp"
        self.within_s = runtime.settings.export_timeout_s
        self.stall_s = STALL_S
        self._held: Counter[UUID | None] = Counter()

    @classmethod
    def of(cls, runtime: Runtime) -> "Downloads":
        """The downloads of this process."""
        if runtime not in _downloads:
            _downloads[runtime] = cls(runtime)
        return _downloads[runtime]

    @property
    def running(self) -> int:
        """Downloads that are written or sent."""
        return self._held.total()

    async def export(
        self,
        principal: Principal,
        open_unit: OpenUnit,
        write: Write,
        media_type: str,
        filename: str,
    ) -> Stream:
        """Write a download to the disk. Raises TooMany, TooLarge or Unavailable."""
        release = self._take(principal.owner or principal.id)
        file: IO[bytes] | None = None
        try:
            file = await asyncio.to_thread(_open, self._folder)
            await self._write(file, open_unit, write)
            return _Download(file, release, self, media_type, filename)
        except BaseException as error:
            release()
            if file is not None:
                file.close()
            if isinstance(error, OSError):
                raise _no_room() from error
            raise

    def _take(self, who: UUID | None) -> Callable[[], None]:
        """One more download of this person; what it returns gives it back, once."""
        each = self._held[who] >= MOST_EACH
        if each or self.running >= MOST:
            raise TooMany(
                "too_many_downloads",
                f"{'You have' if each else 'The centre has'} {MOST_EACH if each else MOST} "
                "downloads running, which is the most: wait for one of them to end.",
                {"limit": MOST_EACH if each else MOST},
                retry_after_s=10,
            )
        self._held[who] += 1
        released = False

        def release() -> None:
            nonlocal released
            if not released:
                released = True
                self._held[who] -= 1
                self._held += Counter()  # forgets those at zero

        return release

    async def _write(self, file: IO[bytes], open_unit: OpenUnit, write: Write) -> None:
        size = 0
        async with open_unit() as unit, contextlib.aclosing(write(unit)) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > _MOST_BYTES:
                    raise TooLarge(
                        "download_too_large",
                        f"This is over {_MOST_BYTES // 1_000_000} MB: filter it into parts.",
                        {"megabytes": _MOST_BYTES // 1_000_000},
                    )
                await asyncio.to_thread(_append, file, chunk)


class _Download(Stream):
    """A file without a name as an answer; it and its place are given back when it ends."""

    def __init__(
        self,
        file: IO[bytes],
        release: Callable[[], None],
        downloads: Downloads,
        media_type: str,
        filename: str,
    ) -> None:
        super().__init__(
            _pieces(file),
            media_type=media_type,
            headers={"Content-Disposition": f'attachment; filename="{filename}"'},
        )
        self._file, self._downloads = file, downloads
        # Also when the answer is never sent at all.
        self._release = weakref.finalize(self, release)

    def to_asgi_response(
        self, app: Any, request: Request[Any, Any, Any], **options: Any
    ) -> ASGIResponse:
        """Send it at the client's pace, as long as there is one."""
        inner = super().to_asgi_response(app, request, **options)
        return _Sending(inner, self._downloads, self._end)

    def _end(self) -> None:
        self._release()
        self._file.close()


class _Sending(ASGIResponse):
    """An answer that must make headway and end in time, or is cut short."""

    def __init__(self, inner: ASGIResponse, limits: Downloads, end: Callable[[], None]) -> None:
        super().__init__()
        self._inner, self._limits, self._end = inner, limits, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it."""

        async def paced(message: Message) -> None:
            async with asyncio.timeout(self._limits.stall_s):
                await send(message)

        try:
            async with asyncio.timeout(self._limits.within_s):
                await self._inner(scope, receive, paced)
        except* TimeoutError:
            # The server closes the connection of an answer without its end.
            log.warning("download_abandoned", path=scope["path"])
        finally:
            self._end()


async def _pieces(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


def _open(folder: Path) -> IO[bytes]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _append(file: IO[bytes], chunk: bytes) -> None:
    room = os.fstatvfs(file.fileno())
    if room.f_bavail * room.f_frsize < _LEAST_FREE:
        raise _no_room()
    file.write(chunk)


def _no_room() -> Unavailable:
    return Unavailable(
        "download_no_room",
        "The centre's disk has no room to prepare this download. Tell your administrator.",
        retry_after_s=60,
    )


_downloads: "WeakKeyDictionary[Runtime, Downloads]" = WeakKeyDictionary()
