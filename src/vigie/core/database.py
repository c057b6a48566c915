"""The memory: one pool, and the unit of work that every verb runs in.

    async with database.unit(principal, scope, request_id=…) as unit:
        await unit.execute(select(…))
        await journal.record(unit, "control.command", …)   # in the same transaction
        unit.after_commit(lambda: bus.publish(…))

One verb, one transaction: it commits when the block ends and rolls back when it raises; nobody
else calls commit. Row level security sees the scope; without one, no rows.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from functools import partial
from typing import Any, cast

import psycopg
from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from vigie.core.errors import Unavailable
from vigie.core.house import House
from vigie.core.ids import uuid7
from vigie.core.logs import logger
from vigie.core.rooms import Rooms
from vigie.core.scope import PLATFORM, SYSTEM, Principal, Scope

log = logger(__name__)
Waker = Callable[[str], Awaitable[None]]
RUNTIME_ROLE = "vigie_runtime"

_APPLY = text(
    "select set_config('vigie.scope_all', :everything, true),"
    " set_config('vigie.scope_pairs', :pairs, true),"
    " set_config('vigie.scope_municipalities', :municipalities, true),"
    " set_config('vigie.scope_trades', :trades, true),"
    " set_config('vigie.scope_compartments', :compartments, true)"
)


def _array(values: Iterable[str]) -> str:
    return "{" + ",".join('"' + v.replace("\\", "").replace('"', "") + '"' for v in values) + "}"


class Unit:
    """One transaction of one verb by one principal."""

    def __init__(
        self,
        connection: AsyncConnection,
        principal: Principal,
        scope: Scope,
        request_id: str,
        waker: Waker | None = None,
        house: House | None = None,
    ) -> None:
        self.house = house or House(Rooms(()))
        self.connection = connection
        self.principal = principal
        self.scope = scope
        self.request_id = request_id
        self._after: list[Callable[[], Awaitable[None] | None]] = []
        self._waker = waker
        self._woken: set[str] = set()

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, parameters)

    async def raw(self) -> psycopg.AsyncConnection[Any]:
        """The driver's connection, inside this transaction: COPY, and nothing else."""
        pooled = await self.connection.get_raw_connection()
        return cast("psycopg.AsyncConnection[Any]", pooled.driver_connection)

    def after_commit(self, action: Callable[[], Awaitable[None] | None]) -> None:
        """Do this once the transaction is on disk: wake-ups and fan-out, never facts."""
        self._after.append(action)

    def wake(self, name: str) -> None:
        """Tell whoever sleeps on `wake.<name>` once the transaction is on disk, once a unit."""
        if self._waker is not None and name not in self._woken:
            self._woken.add(name)
            self.after_commit(partial(self._waker, f"wake.{name}"))

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
    """The pool of one process."""

    def __init__(self, url: str, *, pool: int = 8, application: str = "vigie") -> None:
        self.url = url
        self.application = application
        self.waker: Waker | None = None
        self.house: House | None = None
        self._engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={
                "application_name": application,
                "connect_timeout": 10,
                "options": f"-c role={RUNTIME_ROLE} -c idle_in_transaction_session_timeout=60000",
                "prepare_threshold": 3,
            },
        )

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()

    def pool(self) -> tuple[int, int]:
        """Connections in use, and how many there may be."""
        pool = cast("AsyncAdaptedQueuePool", self._engine.pool)
        return pool.checkedout(), pool.size()

    async def dedicated(self) -> psycopg.AsyncConnection[Any]:
        """A connection of one's own, autocommit, outside the pool: advisory locks, long COPY."""
        return await psycopg.AsyncConnection.connect(
            self.url,
            autocommit=True,
            application_name=self.application,
            connect_timeout=10,
            options=f"-c role={RUNTIME_ROLE}",
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
    ) -> AsyncGenerator[Unit, None]:
        """A unit of work. Raises Unavailable when the database is away.

        Without a scope the platform itself sees everything and anyone else sees nothing.
        """
        if scope is None:
            scope = PLATFORM if principal.kind == "system" else Scope()
        try:
            async with self._transaction(scope) as connection:
                unit = Unit(
                    connection,
                    principal,
                    scope,
                    request_id or str(uuid7()),
                    self.waker,
                    self.house,
                )
                if statement_timeout_s is not None:
                    await connection.execute(
                        text("select set_config('statement_timeout', :ms, true)"),
                        {"ms": str(int(statement_timeout_s * 1000))},
                    )
                yield unit
            await unit.run_after()
        except (OperationalError, InterfaceError, TimeoutError) as error:
            raise unavailable(error) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise unavailable(error) from error
            raise

    @contextlib.asynccontextmanager
    async def _transaction(self, scope: Scope) -> AsyncGenerator[AsyncConnection, None]:
        """A transaction that sees the scope. A pooled connection that died meanwhile (the server
        was started again) shows at this first statement, where a new one may take its place."""
        for again in (True, False):
            async with self._engine.connect() as connection:
                try:
                    await connection.begin()
                    await apply(connection, scope)
                except DBAPIError as error:
                    if again and error.connection_invalidated:
                        continue
                    raise
                yield connection
                await connection.commit()
                return


def unavailable(error: BaseException) -> Unavailable:
    """The database is away, as a person may be told."""
    return Unavailable(
        "database_unavailable",
        "The database does not answer; nothing was changed. Try again in a moment.",
        {"cause": type(error).__name__},
        retry_after_s=2,
    )


async def apply(connection: AsyncConnection, scope: Scope) -> None:
    """Tell row level security what this transaction may see."""
    await connection.execute(
        _APPLY,
        {
            "everything": "on" if scope.everything else "",
            "pairs": _array(scope.pairs),
            "municipalities": _array(scope.municipalities),
            "trades": _array(scope.trades),
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
