"""Killed in the middle of uploads, again and again: what was acknowledged is whole, nothing else
is left, and no row is without its content."""

import asyncio
import hashlib
import os
import random
import shlex
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from vigie.files.keeping import store_of
from vigie.files.sweep import Sweep

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ROUNDS = int(os.environ.get("VIGIE_FAULT_UPLOAD_ROUNDS", "3"))
# Uploads without end, four at once, some of the same content; a line for each that was kept.
_UPLOADER = textwrap.dedent(
    """
    import asyncio, os, sys
    import msgspec
    from vigie.app import every_room
    from vigie.core.runtime import Runtime
    from vigie.core.settings import Settings
    from vigie.files.upload import upload

    async def main():
        settings = msgspec.json.decode(sys.stdin.readline(), type=Settings)
        runtime = await Runtime.open(settings, "api", every_room())

        async def one(seed, shared):
            body = b"%PDF-1.7" + (b"%d" % seed if shared else os.urandom(16))
            async def chunks():
                yield body
                for _ in range(20):
                    yield b"x" * 20_000
                    await asyncio.sleep(0)
            kept = await upload(
                settings, runtime.database.unit, chunks(), content_type="application/pdf",
                declared=None, name=f"{seed}.pdf", evidence=False,
            )
            print(kept[0].file.id, body.hex(), flush=True)

        async def forever(lane):
            n = 0
            while True:
                n += 1
                await one(n % 7, lane % 2 == 0)

        print("ready", flush=True)
        await asyncio.gather(*(forever(lane) for lane in range(4)))

    asyncio.run(main())
    """
)


async def run_and_kill(settings, seconds: float) -> list[tuple[str, str]]:
    """(id, SHA-256) of what was acknowledged before kill -9."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _UPLOADER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(msgspec.json.encode(settings) + b"\n")
        async with asyncio.timeout(60):
            assert (await process.stdout.readline()).strip() == b"ready"
            # Killed only once it is at work, however slow the machine is.
            lines = [await process.stdout.readline()]
        await asyncio.sleep(seconds)
    finally:
        process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    told = [shlex.split(line.decode()) for line in lines if line.endswith(b"\n")]
    tail = b"x" * 400_000
    return [(id_, hashlib.sha256(bytes.fromhex(head) + tail).hexdigest()) for id_, head in told]


def on_disk(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.glob("??/??/*")}


async def test_killed_in_the_middle_of_uploads(runtime):
    settings, database = runtime.settings, runtime.database
    store = store_of(settings)
    told: list[tuple[str, str]] = []
    for number in range(ROUNDS):
        told += await run_and_kill(settings, random.uniform(0.05, 0.6))
        if number == 1:
            # Beside the killed one: the sweep of another process at work.
            await Sweep(database, settings, grace_s=0).whole()
    assert len(told) > ROUNDS

    async with database.unit() as unit:
        rows = await unit.execute(
            text("select file::text, sha256 from files.rendition where kind = 'content'")
        )
        kept = {(row.file, row.sha256) for row in rows}
        rows = await unit.execute(text("select sha256, bytes from files.content"))
        content = {row.sha256: row.bytes for row in rows}
    assert set(told) <= kept, "an acknowledged upload has no row"
    assert {sha256 for _, sha256 in kept} <= content.keys()
    stored = on_disk(store.folder)
    assert content.keys() <= stored.keys(), "a row has no content"
    for sha256, size in content.items():
        body = stored[sha256].read_bytes()
        assert len(body) == size
        assert hashlib.sha256(body).hexdigest() == sha256

    # What the kills left behind is gone after a sweep, and nothing else.
    swift = msgspec.structs.replace(settings, files_upload_seconds=0.001)
    await Sweep(database, swift, grace_s=0).whole()
    assert on_disk(store.folder).keys() == content.keys()
    assert list((store.folder / "tmp").iterdir()) == []
    async with database.unit() as unit:
        counted = await unit.execute(text("select bytes from files.usage where holder = 'all'"))
        assert counted.scalar_one() == sum(content.values())
