"""The gateway of docs/adding-a-gateway.md, made of that page, and a device that speaks to it."""

import asyncio
import contextlib
import re
import time
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "adding-a-gateway.md"
_BLOCK = re.compile(r"```(?:python)?\n# (\S+)\n(.*?)```", re.S)


def blocks() -> dict[str, str]:
    """The page's files by name."""
    return dict(_BLOCK.findall(DOCS.read_text(encoding="utf-8")))


def write_package(folder: Path) -> None:
    """The package as it is installed."""
    for name, content in blocks().items():
        if "/" in name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
    (folder / "vigie_line" / "__init__.py").write_text("")
    (folder / "vigie_line-0.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: vigie-line\nVersion: 0.1\n"
    )


class LineDevice:
    """Sends lines until each was answered OK, over as many connections as that takes."""

    def __init__(self, port: int, client: str, secret: str) -> None:
        self.port, self.client, self.secret = port, client, secret
        self.acknowledged: list[str] = []
        self.connections = 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, within_s: float = 60) -> None:
        """Log in, when the gateway is there."""
        deadline = time.monotonic() + within_s
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
                self._writer.write(f"HELLO {self.client} {self.secret}\n".encode())
                if await self.line(5) == "OK":
                    self.connections += 1
                    return
                self._writer.close()
            assert time.monotonic() < deadline, "the gateway lets nobody in"
            await asyncio.sleep(0.1)

    async def line(self, within_s: float = 30) -> str:
        """The next line; "" when the gateway is gone."""
        assert self._reader
        async with asyncio.timeout(within_s):
            return (await self._reader.readline()).decode().strip()

    async def say(self, line: str) -> str:
        """Send one line; the answer."""
        assert self._writer
        self._writer.write(f"{line}\n".encode())
        return await self.line()

    async def deliver(self, line: str) -> None:
        """Send until it is acknowledged."""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                if self._writer is None:
                    await self.connect()
                answer = await self.say(line)
                if answer == "OK":
                    self.acknowledged.append(line)
                    return
                if answer:
                    await asyncio.sleep(0.1)
                    continue
            self._writer = None

    def close(self) -> None:
        """Leave."""
        if self._writer:
            self._writer.close()
