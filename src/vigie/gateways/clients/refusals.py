"""Counts what was refused, by source and reason, and writes the counts down every few seconds."""

import asyncio
import time
from datetime import datetime

from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.clients.text import clean

log = logger(__name__)
_MOST = 5_000


class Refusals:
    """One process's counts of what the broker, or the login check, refused.

    Unknown names are counted together: a stranger cannot fill the table.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._counts: dict[tuple[datetime, str, str], tuple[int, datetime, str]] = {}
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, source: str, code: str, detail: str = "", total: int = 1) -> None:
        """One more refusal of a client; "" is a stranger."""
        now = clock.now()
        key = (now.replace(minute=0, second=0, microsecond=0), source, code)
        if key not in self._counts and len(self._counts) >= _MOST:
            key = (key[0], "", code)
        known = self._counts.get(key, (0, now, ""))
        self._counts[key] = (known[0] + total, now, clean(detail))
        self._say(source, code, detail)

    def _say(self, source: str, code: str, detail: str) -> None:
        """At most one log line a minute for one source and reason."""
        now = time.monotonic()
        last, silent = self._said.get((source, code), (-1e9, 0))
        if now - last < 60:
            self._said[source, code] = (last, silent + 1)
            return
        if len(self._said) > _MOST:
            self._said.clear()
        self._said[source, code] = (now, 0)
        log.warning(
            "device_refused", client=source, code=code, detail=clean(detail), unlogged=silent
        )

    async def flush(self) -> None:
        """Write the counts down; kept when the database is away."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            async with self._runtime.database.unit() as unit:
                await tally(
                    unit,
                    "broker",
                    [
                        (hour, source, code, *value)
                        for (hour, source, code), value in counts.items()
                    ],
                )
        except Unavailable:
            for key, value in counts.items():
                held = self._counts.get(key, (0, value[1], value[2]))
                self._counts[key] = (held[0] + value[0], held[1], held[2])
            raise

    async def keep(self) -> None:
        """Service: flush every two seconds."""
        while True:
            await asyncio.sleep(2)
            try:
                await self.flush()
            except Unavailable:
                await asyncio.sleep(2)


async def tally(
    unit: Unit, place: str, rows: list[tuple[datetime, str, str, int, datetime, str]]
) -> None:
    """Add to the hourly counts, and to each client's own."""
    columns = [list(column) for column in zip(*sorted(rows, key=lambda r: r[:3]), strict=True)]
    await unit.execute(
        text(
            "insert into gateways.tally (hour, source, place, code, total, last, detail)"
            " select h, s, :place, c, t, l, d from unnest(cast(:hours as timestamptz[]),"
            " cast(:sources as text[]), cast(:codes as text[]), cast(:totals as bigint[]),"
            " cast(:lasts as timestamptz[]), cast(:details as text[])) as r(h, s, c, t, l, d)"
            " on conflict (hour, source, place, code) do update set"
            " total = gateways.tally.total + excluded.total,"
            " last = greatest(gateways.tally.last, excluded.last), detail = excluded.detail"
        ),
        {
            "place": place,
            "hours": columns[0],
            "sources": columns[1],
            "codes": columns[2],
            "totals": columns[3],
            "lasts": columns[4],
            "details": columns[5],
        },
    )
    column = "refused" if place == "broker" else "quarantined"
    await unit.execute(
        text(
            f"insert into gateways.presence (client, {column})"  # noqa: S608 - two literals
            " select c.id, sum(t) from unnest(cast(:sources as text[]), cast(:totals as bigint[]))"
            " as r(s, t) join gateways.client c on c.token = r.s group by c.id order by c.id"
            f" on conflict (client) do update set {column} ="
            f" gateways.presence.{column} + excluded.{column}"
        ),
        {"sources": columns[1], "totals": columns[3]},
    )
