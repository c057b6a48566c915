"""Removes what nothing refers to: loose files, content without a row, workspaces left behind.

Safe beside uploads of the same content, and safe to run several times at once: rows are locked,
content under the lock that placing it takes too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Database
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.files import keeping
from vigie.files.store import Store

log = logger(__name__)
_EVERY_S = 60.0
# An upload that places content writes its row within seconds; nobody waits for the room.
GRACE_S = 3600.0
_QUARANTINE_DAYS = 30
_BATCH = 200
_LOOSE = (
    "loose_since < case state when 'ready' then cast(:edge as timestamptz)"
    " else cast(:quarantine as timestamptz) end"
)


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The sweep, a part of the store a minute."""

    async def run() -> None:
        sweep = Sweep(runtime.database, runtime.settings)
        while True:
            removed = await sweep.step()
            if removed:
                log.info("files_swept", removed=removed)
            await asyncio.sleep(_EVERY_S)

    return {"files": run}


class Sweep:
    """The sweep of one installation; `grace_s` is shorter in tests."""

    def __init__(self, database: Database, settings: Settings, grace_s: float = GRACE_S) -> None:
        self._database = database
        self._settings = settings
        self._store: Store = keeping.store_of(settings)
        self._grace_s = grace_s
        self._groups: list[str] = []

    async def step(self) -> int:
        """Loose files, content without files, and one group of what is on disk."""
        if not self._groups:
            self._groups = await asyncio.to_thread(lambda: list(self._store.groups()))
        removed = await self._loose_files() + await self._unused_content()
        if self._groups:
            removed += await self._unknown_content(self._groups.pop())
        longest = self._settings.files_upload_seconds + self._grace_s
        return removed + await asyncio.to_thread(self._store.sweep_workspaces, longest)

    async def whole(self) -> int:
        """Everything at once; how many things were removed."""
        removed = await self.step()
        while self._groups:
            removed += await self.step()
        return removed

    async def _loose_files(self) -> int:
        now = clock.now()
        edges = {
            "edge": now - timedelta(hours=self._settings.files_loose_hours),
            "quarantine": now - timedelta(days=_QUARANTINE_DAYS),
        }
        async with self._database.unit() as unit:
            rows = await unit.execute(
                text(f"select id from files.file where {_LOOSE} limit {_BATCH}"),  # noqa: S608
                edges,
            )
            candidates = list(rows.scalars())
        removed = 0
        for file in candidates:
            async with self._database.unit() as unit:
                # Attaching takes this lock first, and ends the looseness.
                found = await unit.execute(
                    text(f"select owner from files.file where id = :id and {_LOOSE} for update"),  # noqa: S608
                    {"id": file, **edges},
                )
                row = found.one_or_none()
                if row is None:
                    continue
                held = await unit.execute(
                    text(
                        """
                        select coalesce(sum(c.bytes), 0) from files.rendition r
                          join files.content c on c.sha256 = r.sha256
                         where r.file = :id
                        """
                    ),
                    {"id": file},
                )
                size = int(held.scalar_one())
                await unit.execute(text("delete from files.file where id = :id"), {"id": file})
                if row.owner is not None:
                    await keeping.count_usage(unit, f"user:{row.owner}", -size, -1)
                await keeping.count_usage(unit, keeping.ALL, 0, -1)
                removed += 1
        return removed

    async def _unused_content(self) -> int:
        async with self._database.unit() as unit:
            rows = await unit.execute(
                text(
                    """
                    select sha256 from files.content c
                     where stored < :edge
                       and not exists (select from files.rendition r where r.sha256 = c.sha256)
                     limit :most
                    """
                ),
                {"edge": clock.now() - timedelta(seconds=self._grace_s), "most": _BATCH},
            )
            candidates = list(rows.scalars())
        return await self._remove_content(candidates)

    async def _unknown_content(self, group: str) -> int:
        names = await asyncio.to_thread(self._store.stored, group, self._grace_s)
        async with self._database.unit() as unit:
            rows = await unit.execute(
                text(
                    """
                    select name from unnest(cast(:names as text[])) as name
                     where not exists (select from files.content c where c.sha256 = name)
                    """
                ),
                {"names": names},
            )
            candidates = list(rows.scalars())
        return await self._remove_content(candidates)

    async def _remove_content(self, candidates: list[str]) -> int:
        """Under the lock: look again, the row goes, then the bytes, then the commit. A process that
        dies in between leaves an unused row without bytes, which the next sweep takes."""
        removed = 0
        for sha256 in candidates:
            async with self._database.unit() as unit:
                await keeping.lock_content(unit, [sha256])
                used = await unit.execute(
                    text("select exists (select from files.rendition where sha256 = :sha256)"),
                    {"sha256": sha256},
                )
                recent = self._store.touched_since(sha256, self._grace_s)
                if used.scalar_one() or recent:
                    continue
                gone = await unit.execute(
                    text("delete from files.content where sha256 = :sha256 returning bytes"),
                    {"sha256": sha256},
                )
                size = gone.scalar_one_or_none()
                if size is not None:
                    await keeping.count_usage(unit, keeping.ALL, -size, 0)
                await asyncio.to_thread(self._store.remove, sha256)
                removed += 1
        return removed
