"""A worker is killed between the mail server's taking a mail and our knowing it: the mail is sent
again under the same Message-ID, and its row says that it may have been twice."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.support.providers import Mailbox, mail_server
from vigie.app import every_room
from vigie.core.bus import Bus
from vigie.core.database import Database
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.notify import Send, To, send

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[2]


def start(settings: Settings, box: Mailbox) -> subprocess.Popen[bytes]:
    """The role `jobs`, as `vigie up` starts it."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("VIGIE_")},
        "VIGIE_VAR": settings.var,
        "VIGIE_DATABASE_URL": settings.database_url,
        "VIGIE_NATS_PORT": str(settings.nats_port),
        "VIGIE_SMTP_URL": box.url,
        "VIGIE_MAIL_FROM": "vigie@dijon.example",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "vigie", "run", "jobs"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def test_a_mail_that_may_be_twice_says_so(
    settings: Settings, database: Database, bus: Bus, owner: psycopg.AsyncConnection
):
    Runtime(settings, "test", database, bus, every_room())
    async with database.unit() as unit:
        (message,) = (
            await send(
                unit,
                Send(
                    [To(mail="a@b.example")], "notify.note", {"subject": "Relève", "text": "Nuit."}
                ),
            )
        ).messages
    with mail_server() as box:
        box.silent_s = 60
        process = start(settings, box)
        try:
            async with asyncio.timeout(60):
                while not box.mails:
                    assert process.poll() is None, "the worker ended by itself"
                    await asyncio.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        box.silent_s = 0
        # The lease of a minute's work is not waited for here.
        await owner.execute("update core.job set held = now() where state = 'running'")
        process = start(settings, box)
        try:
            async with asyncio.timeout(60):
                while True:
                    async with database.unit() as unit:
                        row = (
                            await unit.execute(
                                text("select state, maybe_twice from notify.message where id = :i"),
                                {"i": message},
                            )
                        ).one()
                    if row.state == "sent":
                        break
                    await asyncio.sleep(0.1)
        finally:
            process.kill()
            process.wait()
        assert row.maybe_twice
        assert [mail["Message-ID"] for mail in box.mails] == [f"<{message}@dijon.example>"] * 2
