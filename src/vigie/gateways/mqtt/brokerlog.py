"""What the broker refuses is only in its log: read along, line by line."""

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

from vigie.core.runtime import Runtime
from vigie.gateways.clients import Book, Refusals
from vigie.gateways.mqtt.rules import read_log_line
from vigie.gateways.mqtt.sessions import Sessions

_CHUNK = 1024 * 1024
_CERTAIN = ("publish_forbidden", "subscribe_forbidden")


class BrokerLog:
    """Follows the embedded broker's log across its rotations, from its end at start."""

    def __init__(
        self, runtime: Runtime, sessions: Sessions, book: Book, refusals: Refusals
    ) -> None:
        self._runtime = runtime
        self._sessions = sessions
        self._book = book
        self._refusals = refusals
        self.path = runtime.settings.root / "log" / "nats.log"
        self._file: BinaryIO | None = None
        self._rest = b""

    async def keep(self) -> None:
        """Service: read what is new four times a second."""
        self._follow(from_end=True)
        try:
            while True:
                if not self._read():
                    self._follow(from_end=False)
                await asyncio.sleep(0.25)
        finally:
            if self._file:
                self._file.close()
                self._file = None

    def _follow(self, *, from_end: bool) -> None:
        """Open the log, or the new one when it was rotated or cut."""
        try:
            there = self.path.stat()
        except OSError:
            return
        if self._file is not None:
            here = os.fstat(self._file.fileno())
            if here.st_ino == there.st_ino and there.st_size >= self._file.tell():
                return
            self._file.close()
        self._file = Path(self.path).open("rb")  # noqa: SIM115 - kept open between reads
        self._rest = b""
        if from_end:
            self._file.seek(0, os.SEEK_END)

    def _read(self) -> bool:
        """Take in a chunk; False when there was nothing new."""
        if self._file is None:
            return False
        chunk = self._file.read(_CHUNK)
        if not chunk:
            return False
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _CHUNK:
            self._rest = b""
        for line in lines:
            # Most lines are not of MQTT connections: a cheap look before the pattern.
            if b" - mid:" in line:
                self._take(line.decode(errors="replace"))
        return True

    def _take(self, line: str) -> None:
        refusal = read_log_line(line)
        if refusal is None:
            return
        token = self._sessions.token_of(refusal.connection)
        if token is None and refusal.code in _CERTAIN and self._book.get(refusal.name):
            # Only who is logged in can break a permission, and its client id is its token.
            token = refusal.name
        self._refusals.add(token or "", refusal.code, refusal.detail)
