"""`vigie doctor`: what runs, in which version, how far behind, and what is wrong."""

import asyncio
import contextlib
import platform
import shutil
import sys
from importlib.metadata import version
from typing import Literal

import msgspec
from nats.aio.msg import Msg
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from vigie import notify
from vigie.app import ROLES
from vigie.commands.engines import engines
from vigie.core import clock
from vigie.core.errors import SetupError, VigieError
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings, load, unknown
from vigie.core.supervisor import read_state
from vigie.core.web.system import Said
from vigie.gateways import mqtt

Status = Literal["ok", "warning", "failed"]
_STYLE = {"ok": "green", "warning": "yellow", "failed": "red"}


class Line(msgspec.Struct, frozen=True):
    """One thing looked at."""

    name: str
    status: Status
    detail: str


async def examine(console: Console) -> bool:
    """Look at everything and print it; True when nothing failed."""
    settings = load()
    lines = [_machine(settings)]
    lines += [Line("settings", "warning", warning) for warning in unknown()]
    lines += [Line(one.name, one.status, one.detail) for one in await notify.check(settings)]
    running = read_state(settings.root) is not None
    lines.append(
        Line("centre", "ok", "runs")
        if running
        else Line("centre", "warning", "does not run: `vigie up` starts it")
    )
    try:
        async with engines(settings) as session, session.runtime("doctor") as runtime:
            lines += await _database(runtime)
            if running:
                lines += await _roles(runtime)
                lines += [
                    Line(found.name, found.status, found.detail)
                    for found in await mqtt.check_server(runtime)
                ]
    except (SetupError, VigieError) as error:
        lines.append(Line("engines", "failed", error.detail))
    table = Table("", "What", "Finding", box=None, pad_edge=False)
    for line in lines:
        table.add_row(f"[{_STYLE[line.status]}]{line.status}[/]", line.name, line.detail)
    console.print(table)
    return all(line.status != "failed" for line in lines)


def _machine(settings: Settings) -> Line:
    folder = next(f for f in (settings.root, *settings.root.parents) if f.exists())
    free = shutil.disk_usage(folder).free
    return Line(
        "machine",
        "ok" if free > 2_000_000_000 else "warning",
        f"Vigie {version('vigie')}, Python {platform.python_version()} ({sys.platform}); "
        f"{free // 1_000_000_000} GB free under {settings.root}",
    )


async def _database(runtime: Runtime) -> list[Line]:
    async with runtime.database.unit() as unit:
        before = clock.now()
        row = (
            await unit.execute(
                text(
                    "select current_setting('server_version') as version, clock_timestamp() as now,"
                    " pg_database_size(current_database()) as size,"
                    " (select version_num from core.revision) as revision,"
                    " (select count(*) from twin.asset) as assets,"
                    " (select count(*) from journal.pending) as unsequenced"
                )
            )
        ).one()
    skew = abs((row.now - before).total_seconds())
    return [
        Line(
            "database",
            "ok",
            f"PostgreSQL {row.version}, revision {row.revision}, {row.size // 1_000_000} MB, "
            f"{row.assets} assets",
        ),
        Line(
            "clock",
            "ok" if skew < 1 else "failed",
            f"{skew * 1000:.0f} ms from the database's"
            + ("" if skew < 1 else ": synchronise both with the same time server"),
        ),
        Line(
            "journal",
            "ok" if row.unsequenced < 1000 else "warning",
            f"{row.unsequenced} acts wait for their position",
        ),
    ]


async def _roles(runtime: Runtime) -> list[Line]:
    heard: dict[str, Said] = {}

    async def hear(message: Msg) -> None:
        with contextlib.suppress(msgspec.MsgspecError):
            said = msgspec.json.decode(message.data, type=Said)
            heard[said.instance] = said

    subscription = await runtime.bus.subscribe("health.>", hear)
    await asyncio.sleep(2.2)
    await subscription.unsubscribe()
    lines: list[Line] = []
    for role in ROLES:
        said = [s for s in heard.values() if s.role == role]
        if not said:
            lines.append(Line(role, "failed", f"says nothing: see {runtime.settings.root}/log"))
        for one in said:
            bad = [c for c in one.components if c.status not in ("ok", "standby")]
            detail = ", ".join(f"{c.name} {c.status} {c.code}".strip() for c in bad)
            lines.append(
                Line(
                    role,
                    "warning" if bad else "ok",
                    f"process {one.pid}: " + (detail or f"{len(one.components)} services run"),
                )
            )
    return lines
