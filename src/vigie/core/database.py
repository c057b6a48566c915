"""The memory: its connections, and the unit of work that every verb runs in.

    async with database.unit(principal, scope, request_id=…) as unit:
        await unit.execute(select(…))
        await journal.record(unit, "control.command", …)   # in the same transaction
        unit.after_commit(lambda: bus.publish(…))

One verb, one transaction: it commits when the block ends and rolls back when it raises; nobody
else calls commit. Row level security sees the scope; without one, no rows.

Connections are kept in lanes, each a pool of its own, so that many who look never keep out one
who acts: `acts` for commands, logins and the platform's own work, `screens` for what people read,
`exports` for what they download.
"""

import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, Literal, cast
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from vigie.core.database_errors import FAILURES, explain
from vigie.core.house import House
from vigie.core.ids import uuid7
from vigie.core.logs import logger
from vigie.core.rooms import Rooms
from vigie.core.scope import PLATFORM, SYSTEM, Principal, Scope

log = logger(__name__)
Waker = Callable[[str], Awaitable[None]]
ZoneOf = Callable[["Unit"], Awaitable[tzinfo]]
Lane = Literal["acts", "screens", "exports"]
RUNTIME_ROLE = "vigie_runtime"
PUBLIC_ROLE = "vigie_public"
"""What the public process may: what rooms publish (Room.public_tables), and nothing else."""
EXPORTS = 2
"""Connections for downloads: a third one waits until one of them is written to the disk."""

_APPLY = text(
    "select set_config('vigie.scope_all', :everything, true),"
    " set_config('vigie.scope_pairs', :pairs, true),"
    " set_config('vigie.scope_municipalities', :municipalities, true),"
    " set_config('vigie.scope_trades', :trades, true),"
    " set_config('vigie.scope_compartments', :compartments, true),"
    # None leaves the limit of a statement as it is.
    " set_config('statement_timeout',"
    " coalesce(cast(:statement_ms as text), current_setting('statement_timeout')), true)"
)


def _array(values: Iterable[str]) -> str:
    return "{" + ",".join('"' + v.replace("\\", "").replace('"', "") + '"' for v in values) + "}"


class Cause(msgspec.Struct, frozen=True):
    """Why a rule acts: the act that it answers, and how many reactions then led to what it does."""

    entry: UUID
    chain: int


class Unit:
    """One transaction of one verb by one principal."""

    def __init__(
        self,
        connection: AsyncConnection,
        principal: Principal,
        scope: Scope,
        request_id: str,
        database: "Database",
    ) -> None:
        self.database = database
        self.connection = connection
        self.principal = principal
        self.scope = scope
        self.request_id = request_id
        self.cause: Cause | None = None
        self._after: list[Callable[[], Awaitable[None] | None]] = []
        self._woken: set[str] = set()

    @property
    def house(self) -> House:
        """What the rooms of this process declare together."""
        return self.database.house

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, parameters)

    async def raw(self) -> psycopg.AsyncConnection[Any]:
        """The driver's connection, inside this transaction: COPY, and nothing else."""
        pooled = await self.connection.get_raw_connection()
        return cast("psycopg.AsyncConnection[Any]", pooled.driver_connection)

    async def zone(self) -> tzinfo:
        """The city's time zone, which says what a day is; UTC where nobody provides it."""
        zone_of = self.database.zone_of
        return UTC if zone_of is None else await zone_of(self)

    def after_commit(self, action: Callable[[], Awaitable[None] | None]) -> None:
        """Do this once the transaction is on disk: wake-ups and fan-out, never facts."""
        self._after.append(action)

    def wake(self, name: str) -> None:
        """Tell whoever sleeps on `wake.<name>` once the transaction is on disk, once a unit."""
        waker = self.database.waker
        if waker is not None and name not in self._woken:
            self._woken.add(name)
            self.after_commit(partial(waker, f"wake.{name}"))

    @contextlib.asynccontextmanager
    async def attempt(self) -> AsyncGenerator[None, None]:
        """A part that may fail alone: when it raises, its writes and what it meant to do after
        the commit are undone, and the rest of the transaction goes on."""
        after, woken = list(self._after), set(self._woken)
        try:
            async with self.connection.begin_nested():
                yield
        except BaseException:
            self._after, self._woken = after, woken
            raise

    async def run_after(self) -> None:
        """Run the actions; one that fails is logged, since the facts are safe."""
        for action in self._after:
            try:
                result = action()
                if result is not None:
                    await result
            except Exception:
                log.exception("after_commit_failed", request_id=self.request_id)


class Database:
    """The connections of one process.

    `statement_timeout_s` limits each statement of every unit that does not say otherwise;
    `pool_wait_s` is how long a unit waits for a free connection before it is refused.
    """

    def __init__(
        self,
        url: str,
        *,
        pool: int = 8,
        screens: int = 0,
        exports: int = 0,
        application: str = "vigie",
        statement_timeout_s: float | None = None,
        pool_wait_s: float = 5.0,
        role: str = RUNTIME_ROLE,
    ) -> None:
        self.url = url
        self.application = application
        self.role = role
        self.waker: Waker | None = None
        self.house = House(Rooms(()))
        self.zone_of: ZoneOf | None = None
        self.pool_wait_s = pool_wait_s
        self._statement_timeout_s = statement_timeout_s
        self._engine = acts = self._pool(pool, pool_wait_s)
        # A process that serves nobody keeps one lane.
        self._lanes: dict[Lane, AsyncEngine] = {
            "acts": acts,
            "screens": self._pool(screens, pool_wait_s) if screens else acts,
            "exports": self._pool(exports, pool_wait_s) if exports else acts,
        }

    def _pool(self, size: int, wait_s: float) -> AsyncEngine:
        return create_async_engine(
            sqlalchemy_url(self.url),
            pool_size=size,
            max_overflow=0,
            pool_timeout=wait_s,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={
                "application_name": self.application,
                "connect_timeout": 10,
                "options": f"-c role={self.role} -c idle_in_transaction_session_timeout=60000",
                "prepare_threshold": 3,
            },
        )

    def _engines(self) -> set[AsyncEngine]:
        return set(self._lanes.values())

    async def close(self) -> None:
        """Give every connection back."""
        for engine in self._engines():
            await engine.dispose()

    def pool(self) -> tuple[int, int]:
        """Connections in use, and how many there may be."""
        pools = [cast("AsyncAdaptedQueuePool", engine.pool) for engine in self._engines()]
        return sum(pool.checkedout() for pool in pools), sum(pool.size() for pool in pools)

    def room(self, lane: Lane) -> int:
        """Connections that a lane may hold."""
        return cast("AsyncAdaptedQueuePool", self._lanes[lane].pool).size()

    async def dedicated(self) -> psycopg.AsyncConnection[Any]:
        """A connection of one's own, autocommit, outside the pool: advisory locks, long COPY."""
        return await psycopg.AsyncConnection.connect(
            self.url,
            autocommit=True,
            application_name=self.application,
            connect_timeout=10,
            options=f"-c role={self.role}",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )

    @contextlib.asynccontextmanager
    async def unit(
        self,
        principal: Principal = SYSTEM,
        scope: Scope | None = None,
        *,
        request_id: str = "",
        statement_timeout_s: float | None = None,
        lane: Lane = "acts",
    ) -> AsyncGenerator[Unit, None]:
        """A unit of work; `statement_timeout_s` limits each of its statements (0: nothing does).

        Raises what `database_errors` lists when the database cannot do it. Without a scope the
        platform itself sees everything and anyone else sees nothing.
        """
        if scope is None:
            scope = PLATFORM if principal.kind == "system" else Scope()
        if statement_timeout_s is None:
            statement_timeout_s = self._statement_timeout_s or 0
        committing = False
        try:
            async with self._begun(lane, scope, statement_timeout_s) as connection:
                unit = Unit(connection, principal, scope, request_id or str(uuid7()), self)
                yield unit
                committing = True
                await connection.commit()
                committing = False
        except FAILURES as error:
            explained = explain(error, committing=committing)
            if explained is None:
                raise
            raise explained from error
        await unit.run_after()

    @contextlib.asynccontextmanager
    async def _begun(
        self, lane: Lane, scope: Scope, statement_timeout_s: float
    ) -> AsyncGenerator[AsyncConnection, None]:
        """A connection in a transaction that sees the scope. One of the pool that died meanwhile
        (the server was started again) shows at this first statement, where a new one may take its
        place."""
        for again in (True, False):
            async with self._lanes[lane].connect() as connection:
                try:
                    await connection.begin()
                    await apply(connection, scope, statement_timeout_s)
                except DBAPIError as error:
                    if again and error.connection_invalidated:
                        continue
                    raise
                yield connection
                return


async def apply(
    connection: AsyncConnection, scope: Scope, statement_timeout_s: float | None = None
) -> None:
    """Tell the database what this transaction may see, and how long a statement may take (0: any
    time; None: as long as before)."""
    await connection.execute(
        _APPLY,
        {
            "everything": "on" if scope.everything else "",
            "pairs": _array(scope.pairs),
            "municipalities": _array(scope.municipalities),
            "trades": _array(scope.trades),
            "statement_ms": None
            if statement_timeout_s is None
            else str(math.ceil(statement_timeout_s * 1000)),
            "compartments": _array(scope.compartments),
        },
    )


def scope_policy(
    table: str, municipality: str = "municipality", trade: str = "trade", compartment: str = ""
) -> str:
    """DDL that puts a table under the scope, for migrations.

    `compartment` names a column, '' where a row is in none: then both conditions hold, the place
    and the compartment open at that place (see core.scope). Each setting is read once a statement
    (a scalar subquery is an InitPlan), not once a row.
    """

    def setting(name: str) -> str:
        return f"(select coalesce(nullif(current_setting('vigie.{name}', true), ''), '{{}}'))"

    place = (
        "(select current_setting('vigie.scope_all', true)) = 'on'"
        f" or ({municipality} || '/' || {trade}) = any({setting('scope_pairs')}::text[])"
        f" or {municipality} = any({setting('scope_municipalities')}::text[])"
        f" or {trade} = any({setting('scope_trades')}::text[])"
    )
    if compartment:
        at = f"{compartment} || '@'"
        opened = (
            f"array['*', {compartment}, {at} || {municipality} || '/*', {at} || '*/' || {trade},"
            f" {at} || {municipality} || '/' || {trade}]"
        )
        place = (
            f"({place}) and ({compartment} = ''"
            f" or {opened} && {setting('scope_compartments')}::text[])"
        )
    return (
        f"alter table {table} enable row level security;"
        f"create policy scope on {table} using ({place});"
    )


def sqlalchemy_url(url: str) -> str:
    """The same address with SQLAlchemy's driver name."""
    return "postgresql+psycopg://" + url.split("://", 1)[1]
