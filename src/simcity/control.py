"""The control socket: one JSON object a line, one answer a line, on a Unix socket.

{"op":"stats"}                              counts so far
{"op":"pause"} {"op":"resume"}              report no more; go on
{"op":"drain","timeout":30}                 pause, and wait until all is acknowledged
{"op":"levels","devices":["tok",…]}         true levels (all lamps without "devices")
{"op":"fault","device":"tok","mode":"silent"}   none, silent, refuses, offline, or one of its kind
{"op":"values","devices":["tok",…]}         what devices of any kind show now
{"op":"keep"}                               the ledger keeps what every reading says from now on
{"op":"scenario","name":"storm"}            play one of the library, or a file
{"op":"write"}                              true lamp states into the ledger, on disk
{"op":"stop"}                               drain and end

Answers: {"ok":true,…} or {"ok":false,"error":"…"}.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec

from simcity.run import City


class Request(msgspec.Struct):
    op: str
    timeout: float = 30.0
    devices: list[str] | None = None
    device: str = ""
    mode: str = "none"
    name: str = ""


@contextlib.asynccontextmanager
async def serve(city: City, path: Path, end: asyncio.Event) -> AsyncGenerator[None]:
    path.unlink(missing_ok=True)

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await _answer(city, line, end)) + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(session, path)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _answer(city: City, line: bytes, end: asyncio.Event) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(line, type=Request)
        return {"ok": True, **await _do(city, request, end)}
    except (msgspec.MsgspecError, ValueError) as error:
        return {"ok": False, "error": str(error)}
    except KeyError as error:
        return {"ok": False, "error": f"no such device, or no such mode: {error}"}


async def _do(city: City, request: Request, end: asyncio.Event) -> dict[str, Any]:
    match request.op:
        case "stats":
            return {**city.stats.as_dict(), **city.summary, "paused": city.paused}
        case "pause":
            city.paused = True
        case "resume":
            city.paused = False
        case "drain":
            return {"drained": await city.drain(request.timeout), **city.summary}
        case "levels":
            levels = city.levels()
            wanted = request.devices
            chosen = levels if wanted is None else {token: levels[token] for token in wanted}
            return {"levels": chosen}
        case "fault":
            city.fail(request.device, request.mode)
        case "values":
            return {"values": city.values(request.devices or [])}
        case "keep":
            city.keep_values()
        case "scenario":
            return {"playing": city.scenario(request.name)}
        case "write":
            city.write_lamps()
            city.flush()
        case "stop":
            end.set()
        case unknown:
            raise ValueError(f"unknown op {unknown!r}")
    return {}


async def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """One question to a running city."""
    reader, writer = await asyncio.open_unix_connection(path, limit=64 * 2**20)
    try:
        writer.write(msgspec.json.encode(request) + b"\n")
        return msgspec.json.decode(await reader.readline(), type=dict[str, Any])
    finally:
        writer.close()
