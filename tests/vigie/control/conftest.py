"""A small district of lights, and what its devices say."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
import pytest_asyncio

from vigie.core import clock
from vigie.core.ids import uuid7
from vigie.core.scope import EVERYTHING, Grant, Principal, Scope
from vigie.twin.kinds import Kind
from vigie.twin.telemetry import Evidence

DIJON = "21231"
CHENOVE = "21166"
ANNE = Principal(uuid7(), "anne", "user", (Grant("operator"),))
BRUNO = Principal(uuid7(), "bruno", "user", (Grant("operator", CHENOVE, "lighting"),))
CHENOVE_ONLY = Scope(pairs=frozenset({f"{CHENOVE}/lighting"}))
__all__ = ["ANNE", "BRUNO", "CHENOVE", "CHENOVE_ONLY", "DIJON", "EVERYTHING", "Ack", "Lights"]


@dataclass(frozen=True)
class Ack:
    """As the ingest hands it over."""

    command: UUID
    asset: int
    status: str
    code: str | None = None
    detail: str | None = None
    at: datetime = field(default_factory=clock.now)


def reading(asset: int, level: float, at: datetime | None = None) -> Evidence:
    return Evidence(asset, {"dimmingLevel": level, "activePower": 1.0}, at or clock.now())


class Lights:
    """Makes equipment as the owner."""

    def __init__(self, owner: psycopg.AsyncConnection) -> None:
        self.owner = owner

    async def add(
        self,
        count: int,
        municipality: str = DIJON,
        *,
        kind: str = "Streetlight",
        trade: str = "lighting",
        parent: int | None = None,
        carried: bool = True,
        retired: bool = False,
    ) -> list[int]:
        cursor = await self.owner.execute(
            "insert into twin.asset (token, kind, trade, source, source_id, name, municipality,"
            " lon, lat, mercator, retired, parent)"
            " select t, %(kind)s, %(trade)s, 'test', t, 'Light ' || t, %(municipality)s, 5.04,"
            " 47.32, point(561050, 5993760), case when %(retired)s then current_date end,"
            " %(parent)s"
            " from (select replace(gen_random_uuid()::text, '-', '') as t"
            "  from generate_series(1, %(count)s)) n returning id",
            {
                "kind": kind,
                "trade": trade,
                "parent": parent,
                "municipality": municipality,
                "count": count,
                "retired": retired,
            },
        )
        ids = sorted(row[0] for row in await cursor.fetchall())
        if carried:
            await self.owner.execute(
                "with c as (insert into gateways.client (token, name, kind, shard, secret_sha256,"
                " trade) values (replace(gen_random_uuid()::text, '-', ''), 'site', 'site', 0,"
                " sha256('x'), 'lighting') returning id)"
                " insert into gateways.device select a, c.id from c, unnest(%s::int[]) a",
                [ids],
            )
        return ids

    async def report(
        self, asset: int, kind: Kind, at: datetime | None = None, **values: float
    ) -> None:
        """The latest state of one piece of equipment, as stored."""
        vals = [float(values.get(point.name, math.nan)) for point in kind.points]
        await self.owner.execute(
            "insert into twin.state (asset, n, at, recorded, boot, vals)"
            " values (%(asset)s, 1, %(at)s, %(at)s, 0, %(vals)s::float8[])"
            " on conflict (asset) do update set at = excluded.at, vals = excluded.vals",
            {"asset": asset, "vals": vals, "at": at or clock.now()},
        )

    async def shows(self, assets: list[int], level: float, at: datetime | None = None) -> None:
        """The latest state of some lights."""
        await self.owner.execute(
            "insert into twin.state (asset, n, at, recorded, boot, vals)"
            " select a, 1, %(at)s, %(at)s, 0,"
            " array[%(level)s, 1, 'nan', 'nan', 'nan', 'nan', 'nan', 'nan']::float8[]"
            " from unnest(%(assets)s::int[]) a on conflict (asset) do update"
            " set at = excluded.at, vals = excluded.vals",
            {"assets": assets, "level": level, "at": at or clock.now()},
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lights(owner: psycopg.AsyncConnection) -> Lights:
    return Lights(owner)


@pytest_asyncio.fixture(loop_scope="session")
async def quiet(owner: psycopg.AsyncConnection) -> None:
    """Nothing is left open by an earlier test of the module."""
    await owner.execute(
        "update control.target set state = 'cancelled', ended_at = now(), next_send = null,"
        " watch = false where ended_at is null or watch"
    )
    await owner.execute("update control.command set ended_at = now() where ended_at is null")
