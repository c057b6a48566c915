"""Takes an upload from the wire to the disk, never whole in memory, within every limit."""

import asyncio
import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from vigie.core.errors import Invalid, TooLarge, TooMany
from vigie.files.model import Received

# Files a request, and what surrounds them in its body.
MOST_FILES = 10
AROUND = 64_000
# Uploads at once: of a person, of this process.
_OF_A_PERSON, _OF_ALL = 4, 24
# A sender that says nothing for so long has gone.
_SILENCE_S = 30.0
_PIECE = 1_000_000
_running: Counter[str] = Counter()


@contextlib.contextmanager
def turn(holder: str) -> Generator[None]:
    """One of the uploads that may run at once. Raises TooMany when all are taken."""
    if _running[holder] >= _OF_A_PERSON or _running.total() >= _OF_ALL:
        raise TooMany(
            "too_many_uploads", "Too many uploads run at this moment: wait for them to end.",
            retry_after_s=5,
        )  # fmt: skip
    _running[holder] += 1
    try:
        yield
    finally:
        _running[holder] -= 1
        if not _running[holder]:
            del _running[holder]


def demand_length(declared: int | None, limit: int) -> None:
    """Refuse a request by its Content-Length, before any of it is read."""
    if declared is not None and declared > limit * MOST_FILES + AROUND:
        raise _too_large(limit)


class Writer:
    """One file being written: hashed as it grows, synced when it ends."""

    def __init__(self, path: Path, name: str, claimed: str, limit: int) -> None:
        self._path = path
        self._name, self._claimed, self._limit = name, claimed, limit
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._file = path.open("xb")

    async def add(self, chunk: bytes) -> None:
        """More of it. Raises TooLarge past the limit of one file."""
        self._bytes += len(chunk)
        if self._bytes > self._limit:
            raise _too_large(self._limit)
        self._waiting.append(bytes(chunk))
        self._waiting_bytes += len(chunk)
        if self._waiting_bytes >= _PIECE:
            await asyncio.to_thread(self._write)

    async def end(self) -> Received:
        """The whole file, on disk."""
        await asyncio.to_thread(self._sync)
        return Received(self._path, self._hash.hexdigest(), self._bytes, self._name, self._claimed)

    def close(self) -> None:
        """Let go of the file, whatever happened."""
        self._file.close()

    def _write(self) -> None:
        for chunk in self._waiting:
            self._file.write(chunk)
            self._hash.update(chunk)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _sync(self) -> None:
        self._write()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


async def receive(
    body: AsyncIterator[bytes],
    content_type: str,
    name: str,
    folder: Path,
    *,
    limit: int,
    room: int,
    seconds: float,
) -> list[Received]:
    """The files of a request's body: the parts of a multipart form, or one file as it is.

    `limit` is of each file, `room` of them together. Raises Invalid for a form that is broken or
    holds no file, or when the sender is too slow; TooLarge past a limit.
    """
    kind, options = parse_options_header(content_type)
    try:
        async with asyncio.timeout(seconds):
            if kind == "multipart/form-data":
                return await _form(_lively(body, room), options.get("boundary", ""), folder, limit)
            return [await _raw(_lively(body, room), name, kind, folder, limit)]
    except TimeoutError as error:
        raise Invalid(
            "upload_too_slow",
            f"The upload took over {seconds:.0f} s, or stood still: send it again.",
            {"seconds": seconds},
        ) from error


async def _lively(body: AsyncIterator[bytes], room: int) -> AsyncIterator[bytes]:
    """The same, ending with an error when nothing comes for a while or too much comes in all."""
    left = room + AROUND
    while True:
        async with asyncio.timeout(_SILENCE_S):
            try:
                chunk = await anext(body)
            except StopAsyncIteration:
                return
        left -= len(chunk)
        if left < 0:
            raise TooLarge(
                "upload_too_large",
                f"There is room for {room / 1_000_000:g} MB: send less, or take files away first.",
                {"megabytes": room / 1_000_000},
            )
        if chunk:
            yield chunk


async def _raw(
    body: AsyncIterator[bytes], name: str, claimed: str, folder: Path, limit: int
) -> Received:
    writer = Writer(folder / "0", name, claimed, limit)
    try:
        async for chunk in body:
            await writer.add(chunk)
        return await writer.end()
    finally:
        writer.close()


async def _form(
    body: AsyncIterator[bytes], boundary: str, folder: Path, limit: int
) -> list[Received]:
    found: list[Received] = []
    writer: Writer | None = None
    outside = 0
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_FILES, strict=True) as parser:
            async for chunk in body:
                outside += len(chunk)
                events: list[Any] = list(parser.parse(chunk))
                for event in events:
                    if isinstance(event, MultipartSegment):
                        if not event.filename:
                            raise Invalid(
                                "form_not_files", "The form may hold files and nothing else."
                            )
                        writer = Writer(
                            folder / str(len(found)),
                            event.filename,
                            (event.content_type or "").lower(),
                            limit,
                        )
                    elif event is None:
                        if writer is not None:
                            found.append(await writer.end())
                            writer = None
                    elif writer is not None:
                        outside -= len(event)
                        await writer.add(event)
                if outside > AROUND:
                    raise Invalid("form_broken", "The form holds too much beside its files.")
    except ParserLimitReached as error:
        raise Invalid(
            "form_too_many", f"Send {MOST_FILES} files at once at the most.", {"most": MOST_FILES}
        ) from error
    except MultipartError as error:
        raise Invalid(
            "form_broken", f"The form is not valid multipart/form-data: {error}."
        ) from error
    finally:
        if writer is not None:
            writer.close()
    if not found:
        raise Invalid("form_empty", "The form holds no file.")
    return found


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        "file_too_large",
        f"A file may have {limit / 1_000_000:g} MB at the most.",
        {"megabytes": limit / 1_000_000},
    )
