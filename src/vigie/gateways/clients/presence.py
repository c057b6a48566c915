"""Who is online and what was received of whom, written down in batches by one process."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.errors import Unavailable
from vigie.core.leader import lead
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.gateways.clients.door import Change, Connections

log = logger(__name__)
SILENT_S = 300
_KEEP_DAYS = 30
_MOST_QUARANTINED = 200_000
# A clock that is off by more asks for a person; a reading that is 5 minutes ahead is refused.
SKEW_S = 30.0
_SKEWED = text(
    """
    update gateways.presence p set skew_s = r.skew, skewed = now()
    from unnest(cast(:tokens as text[]), cast(:skews as float8[])) as r(token, skew)
    join gateways.client c on c.token = r.token
    where p.client = c.id
    """
)
_WRONG_CLOCKS = text(
    """
    select c.token, count(*) over () as total
    from gateways.presence p join gateways.client c on c.id = p.client
    where abs(p.skew_s) > :most and p.skewed > now() - interval '1 hour'
     and c.revoked is null and c.clock = 'device'
    order by abs(p.skew_s) desc, c.token
    limit 10
    """
)


class Presence:
    """Writes comings and goings; watches for gateways that fell silent."""

    def __init__(
        self,
        runtime: Runtime,
        protocol: str,
        connections: Connections,
        beside: Callable[[], Awaitable[None]],
    ) -> None:
        """`beside` runs where this leads: what only one process should do."""
        self._runtime = runtime
        self._protocol = protocol
        self._connections = connections
        self._beside = beside
        self._pending: dict[str, Change] = {}
        connections.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        self._pending[change.token] = change

    async def keep(self) -> None:
        """Service: one process writes; the others stand by."""
        component = self._runtime.component("presence")
        while True:
            with contextlib.suppress(Unavailable):
                async with lead(
                    self._runtime.database,
                    "gateways.presence",
                    self._runtime.instance,
                    on_standby=lambda: self._stand_by(),
                ) as leadership:
                    await self._settle()
                    reading = asyncio.ensure_future(self._beside())
                    try:
                        turn = 0
                        while True:
                            await self.flush()
                            if turn % 10 == 0:
                                await leadership.check()
                                await self._watch()
                            if turn % 600 == 0:
                                await self._forget()
                            turn += 1
                            await asyncio.sleep(1)
                    finally:
                        await end([reading])
            component.set("degraded", "database_unavailable")
            await asyncio.sleep(1)

    def _stand_by(self) -> None:
        self._pending.clear()
        self._runtime.component("presence").set("ok", "standby")

    async def _settle(self) -> None:
        """What the last leader could not write: who is really here."""
        if not self._connections.known:
            return
        await self._connections.refresh()
        self._pending.clear()
        async with self._runtime.database.unit() as unit:
            await unit.execute(
                text(
                    "update gateways.presence p set online = here.online,"
                    " since = now(), last_seen = case when here.online then now()"
                    " else p.last_seen end from (select p.client,"
                    " c.token = any(:tokens) as online from gateways.presence p"
                    " join gateways.client c on c.id = p.client"
                    " where c.protocol = :protocol) as here"
                    " where here.client = p.client and here.online <> p.online"
                ),
                {"tokens": list(self._connections.of), "protocol": self._protocol},
            )
            await unit.execute(
                text(
                    "insert into gateways.presence (client, online, since, last_seen)"
                    " select id, true, now(), now() from gateways.client"
                    " where token = any(:tokens) order by id on conflict do nothing"
                ),
                {"tokens": list(self._connections.of)},
            )

    async def flush(self) -> None:
        """Write what changed since the last time; kept when the database is away."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            async with self._runtime.database.unit() as unit:
                await write(unit, list(pending.values()))
        except Unavailable:
            self._pending = pending | self._pending
            raise

    async def _watch(self) -> None:
        """A gateway that was heard and is no more is itself a fault."""
        async with self._runtime.database.unit() as unit:
            rows = (
                await unit.execute(
                    text(
                        "select c.token, count(*) over () as silent from gateways.presence p"
                        " join gateways.client c on c.id = p.client"
                        " where c.revoked is null and p.last_seen is not null and ("
                        " (not p.online and p.since < now() - interval '60 seconds')"
                        " or p.last_seen < now() - make_interval(secs => :silent)"
                        " and p.messages > 0)"
                        " order by p.last_seen limit 10"
                    ),
                    {"silent": SILENT_S},
                )
            ).all()
            wrong = (await unit.execute(_WRONG_CLOCKS, {"most": SKEW_S})).all()
        clocks = self._runtime.component("clocks")
        if wrong:
            clocks.set(
                "degraded", "clocks_wrong", clients=wrong[0].total,
                first=[row.token for row in wrong], over_s=SKEW_S,
            )  # fmt: skip
        else:
            clocks.set("ok")
        component = self._runtime.component("presence")
        online = len(self._connections.of)
        if not self._connections.known:
            component.set("degraded", "no_system_account")
        elif rows:
            component.set(
                "degraded",
                "gateways_silent",
                silent=rows[0].silent,
                first=[row.token for row in rows],
                online=online,
            )
        else:
            component.set("ok", "", online=online)

    async def _forget(self) -> None:
        """Bounds: 30 days, and no more rows than can be read."""
        async with self._runtime.database.unit() as unit:
            for table, column in (("quarantine", "received"), ("tally", "hour")):
                await unit.execute(
                    text(
                        f"delete from gateways.{table} where {column} <"  # noqa: S608 - literals
                        " now() - make_interval(days => :days)"
                    ),
                    {"days": _KEEP_DAYS},
                )
            await unit.execute(
                text(
                    "delete from gateways.quarantine where id <= (select max(id) - :most"
                    " from gateways.quarantine)"
                ),
                {"most": _MOST_QUARANTINED},
            )


async def received(
    unit: Unit,
    counts: Mapping[int, tuple[int, datetime]],
    skews: Mapping[str, float] | None = None,
) -> None:
    """Add to clients' message counts: {client id: (messages, last received)}, and note how far
    their clocks are off: {token: seconds}; for the ingest."""
    if counts:
        await _count(unit, counts)
    if skews:
        await unit.execute(_SKEWED, {"tokens": list(skews), "skews": list(skews.values())})


async def _count(unit: Unit, counts: Mapping[int, tuple[int, datetime]]) -> None:
    clients = sorted(counts)
    await unit.execute(
        text(
            "insert into gateways.presence (client, messages, last_seen)"
            " select * from unnest(cast(:clients as int[]), cast(:totals as bigint[]),"
            " cast(:lasts as timestamptz[]))"
            " on conflict (client) do update set"
            " messages = gateways.presence.messages + excluded.messages,"
            " last_seen = greatest(gateways.presence.last_seen, excluded.last_seen)"
        ),
        {
            "clients": clients,
            "totals": [counts[client][0] for client in clients],
            "lasts": [counts[client][1] for client in clients],
        },
    )


async def write(unit: Unit, changes: list[Change]) -> None:
    """Write comings and goings down, in the caller's transaction."""
    changes.sort(key=lambda change: change.token)
    await unit.execute(
        text(
            "insert into gateways.presence (client, online, since, address, last_seen)"
            " select c.id, r.online, r.at, r.address, r.at from unnest(cast(:tokens as text[]),"
            " cast(:onlines as boolean[]), cast(:ats as timestamptz[]),"
            " cast(:addresses as text[])) as r(token, online, at, address)"
            " join gateways.client c on c.token = r.token order by c.id"
            " on conflict (client) do update set online = excluded.online,"
            " since = case when gateways.presence.online = excluded.online"
            " then gateways.presence.since else excluded.since end,"
            " address = case when excluded.online then excluded.address"
            " else gateways.presence.address end,"
            " last_seen = greatest(gateways.presence.last_seen, excluded.last_seen)"
        ),
        {
            "tokens": [change.token for change in changes],
            "onlines": [change.online for change in changes],
            "ats": [change.at for change in changes],
            "addresses": [change.address for change in changes],
        },
    )
