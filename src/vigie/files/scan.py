"""Asks a virus scanner about a file, when the installation has one (`files_scan`)."""

import asyncio
import shlex
from pathlib import Path

from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.files.model import Scan

log = logger(__name__)
_SECONDS = 120.0
_CHUNK = 262_144


async def scan(setting: str, path: Path) -> tuple[Scan, str]:
    """What the scanner says, and the name of what it found.

    Raises Unavailable when it does not answer: what could not be scanned is not kept.
    """
    if not setting:
        return "not_scanned", ""
    try:
        async with asyncio.timeout(_SECONDS):
            if setting.startswith("clamd:"):
                return await _clamd(setting.removeprefix("clamd:"), path)
            return await _command(setting, path)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
        log.error("scan_failed", cause=repr(error))
        raise Unavailable(
            "scan_unavailable",
            "The virus scanner does not answer, so that the file was not kept. Try again in a "
            "moment; an administrator finds the cause in the log.",
            retry_after_s=30,
        ) from error


async def _command(command: str, path: Path) -> tuple[Scan, str]:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    try:
        said = b""
        while chunk := await process.stdout.read(4096):
            said = (said + chunk)[:4096]
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code == 0:
        return "clean", ""
    if code == 1:
        lines = said.decode("utf-8", "replace").replace(str(path), "").strip(": \n").splitlines()
        return "infected", (lines[0] if lines else "")[:200]
    raise ValueError(f"the scanner ended with {code}")


async def _clamd(address: str, path: Path) -> tuple[Scan, str]:
    """clamd's INSTREAM: lengths and chunks, then one line: `stream: OK` or `stream: X FOUND`."""
    if address.startswith("/"):
        reader, writer = await asyncio.open_unix_connection(address)
    else:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"zINSTREAM\0")
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                writer.write(len(chunk).to_bytes(4, "big") + chunk)
                await writer.drain()
        writer.write(b"\0\0\0\0")
        await writer.drain()
        said = (await reader.readuntil(b"\0")).rstrip(b"\0").decode("utf-8", "replace")
    finally:
        writer.close()
    answer = said.removeprefix("stream: ")
    if answer == "OK":
        return "clean", ""
    if answer.endswith(" FOUND"):
        return "infected", answer.removesuffix(" FOUND")[:200]
    raise ValueError(said[:200])
