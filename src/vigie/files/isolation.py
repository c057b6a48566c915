"""Runs what reads other people's bytes (image decoders, the typesetter) in a process of its own.

The process knows nothing of the house: no environment, no database, no secrets in its memory; its
memory, processor time, output and duration are bounded, and when it dies only it dies.
"""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import msgspec

from vigie.core.errors import Invalid, Unavailable
from vigie.core.logs import logger

log = logger(__name__)
_FOLDER = Path(__file__).parent / "isolated"
_MOST_ANSWER = 200_000
# Memory at the most, for all of them: this many at once.
_AT_ONCE = 2
_turns = asyncio.Semaphore(_AT_ONCE)
# Whoever tries the network finds a closed door.
_ENVIRONMENT = {
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/nonexistent",
}


class Refusal(msgspec.Struct, frozen=True):
    """What a script says it cannot do."""

    error: str = ""
    detail: str = ""
    result: Any = None


async def run(script: str, request: Any, folder: Path, *, seconds: float, megabytes: int) -> Any:
    """Run a script of `isolated/` in a folder; its answer.

    Raises Invalid with the script's own code for input that it refuses, or `file_unreadable` when
    it ran out of time or memory or died; Unavailable when no turn comes up in time.
    """
    try:
        async with asyncio.timeout(seconds * 4):
            await _turns.acquire()
    except TimeoutError as error:
        raise Unavailable(
            "files_busy", "Too many files are being worked on: try again in a moment.",
            retry_after_s=5,
        ) from error  # fmt: skip
    try:
        return await _run(script, request, folder, seconds, megabytes)
    finally:
        _turns.release()


async def _run(script: str, request: Any, folder: Path, seconds: float, megabytes: int) -> Any:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_FOLDER / f"{script}.py"),
        str(megabytes),
        str(int(seconds) + 1),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT,
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(seconds):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(msgspec.json.encode(request))
                await process.stdin.drain()
            process.stdin.close()
            answer = b""
            while chunk := await process.stdout.read(65_536):
                answer += chunk
                if len(answer) > _MOST_ANSWER:
                    raise ValueError("too long an answer")
            await process.wait()
        said = msgspec.json.decode(answer, type=Refusal)
    except (TimeoutError, ValueError, msgspec.MsgspecError) as error:
        log.warning("isolated_failed", script=script, cause=type(error).__name__)
        raise Invalid(
            "file_unreadable",
            "This file cannot be read: it is damaged, or would need too much time or memory.",
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if said.error:
        raise Invalid(said.error, said.detail)
    return said.result
