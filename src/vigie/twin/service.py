"""The verbs of the registry."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Text, any_, func, literal, select, text

from vigie.core.database import Unit
from vigie.core.errors import NotFound, TooLarge
from vigie.core.filters import Fields, Predicate, parse, write
from vigie.core.geometry import BBox
from vigie.core.journal import Entry, list_object
from vigie.core.lists import Listing, ListQuery
from vigie.core.paging import Cursor, Page
from vigie.twin import kinds
from vigie.twin.model import ASSET, TALLY, Asset, AssetRef, GatewayInfo, Lifecycle, Topology
from vigie.twin.query import Selection, in_box, selection
from vigie.twin.telemetry import Wanted, read_state

Gateways = Callable[[Unit, Sequence[int]], Awaitable[Mapping[int, GatewayInfo]]]

ASSETS = Cursor("assets", int)
COUNT_LIMIT = 10_000
SELECT_LIMIT = 500_000
_DEPTH = 8
_ALL = select(*ASSET.c)


class _Providers:
    gateways: Gateways | None = None


def provide_gateways(provider: Gateways) -> None:
    """Who tells through which client equipment speaks: said once, by the composition."""
    _Providers.gateways = provider


async def read(unit: Unit, asset: int) -> Asset:
    """One piece of equipment. Raises NotFound when it is not, or not for this person."""
    rows = (await unit.execute(_ALL.where(ASSET.c.id == asset))).all()
    if not rows:
        raise not_found(asset)
    return (await _compose(unit, rows))[0]


async def list_assets(
    unit: Unit,
    filter_: str = "",
    *,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Asset]:
    """Equipment that a filter finds, by id unless asked otherwise. `total` is null beyond 10,000
    that must be counted."""
    if sort not in (None, "", "id"):
        return await _sorted(unit, filter_, sort, cursor, limit)
    after = ASSETS.decode(cursor)
    chosen = await selection(unit, filter_)
    last = after[0] if after else 0
    statement = _ALL.where(ASSET.c.id > last).order_by(ASSET.c.id).limit(limit + 1)
    if chosen.tally is not None:
        total = await _tallied(unit, chosen.tally)
    else:
        # What must be counted is found once, and the page taken from it.
        ids = await _first_ids(unit, chosen)
        total = len(ids) if len(ids) <= COUNT_LIMIT else None
        if total is not None:
            start = bisect_right(ids, last)
            chosen = Selection([ASSET.c.id == any_(literal(ids[start : start + limit + 1]))], None)
    rows = (await unit.execute(statement.where(*chosen.where))).all()
    page = ASSETS.page(rows, limit, key=lambda row: (row.id,), total=total)
    at_least = COUNT_LIMIT if total is None else None
    return Page(await _compose(unit, page.items), page.next, page.total, at_least)


async def _sorted(
    unit: Unit, filter_: str, sort: str, cursor: str | None, limit: int
) -> Page[Asset]:
    """In another order than by id: no index serves these, so few are found first and sorted, and
    many are read all."""
    chosen = await selection(unit, filter_)
    where, total = chosen.where, None
    if chosen.tally is not None:
        total = await _tallied(unit, chosen.tally)
    else:
        ids = await _first_ids(unit, chosen)
        if len(ids) <= COUNT_LIMIT:
            total, where = len(ids), [ASSET.c.id == any_(literal(ids))]
    # A cursor belongs to the filter, which is understood above and not again by the listing.
    page = await _listing().page(
        unit, ListQuery("", sort, cursor, limit), where=where, bound=write(parse(filter_))
    )
    page.total, page.total_at_least = total, COUNT_LIMIT if total is None else None
    return page


@cache
def _listing() -> Listing[Asset]:
    return Listing(
        "twin.assets",
        ASSET,
        compose=_compose,
        fields=Fields(),
        sorts={
            "id": ASSET.c.id,
            # As it is shown: equipment without a name is called by its source's id.
            "name": func.coalesce(func.nullif(ASSET.c.name, ""), ASSET.c.source_id, type_=Text),
            **{
                name: ASSET.c[name]
                for name in (
                    "kind", "trade", "municipality", "street", "source", "source_id",
                    "installed", "commissioned", "retired", "manufacturer", "model",
                )
            },
        },
        default="id",
        key=ASSET.c.id,
        count_to=0,
    )  # fmt: skip


async def _tallied(unit: Unit, conditions: Sequence[Predicate]) -> int:
    statement = select(func.coalesce(func.sum(TALLY.c.n), 0)).where(*conditions)
    return int((await unit.execute(statement)).scalar_one())


async def _first_ids(unit: Unit, chosen: Selection) -> list[int]:
    statement = select(ASSET.c.id).where(*chosen.where).order_by(ASSET.c.id)
    return list((await unit.execute(statement.limit(COUNT_LIMIT + 1))).scalars())


async def find_ids(
    unit: Unit,
    *,
    filter_: str = "",
    bbox: BBox | None = None,
    ids: Sequence[int] | None = None,
    limit: int = SELECT_LIMIT,
) -> list[tuple[int, str]]:
    """Id and kind of the equipment in sight that a filter, a box and a list of ids all select.

    Raises Invalid for a filter that is not understood, TooLarge for more than `limit`.
    """
    chosen = await selection(unit, filter_)
    statement = select(ASSET.c.id, ASSET.c.kind).where(*chosen.where).order_by(ASSET.c.id)
    if bbox is not None:
        statement = statement.where(in_box(bbox))
    if ids is not None:
        statement = statement.where(ASSET.c.id == any_(literal(list(ids))))
    rows = await unit.execute(statement.limit(limit + 1))
    found = [(row.id, row.kind) for row in rows.all()]
    if len(found) > limit:
        raise TooLarge(
            "too_many_assets",
            f"This selects more than {limit} assets: select fewer.",
            {"limit": limit},
        )
    return found


async def refs(unit: Unit, ids: Sequence[int]) -> dict[int, AssetRef]:
    """Names of equipment in sight."""
    rows = await unit.execute(
        text("select id, coalesce(nullif(name, ''), source_id) as name, kind"
             " from twin.asset where id = any(:ids)"),
        {"ids": list(ids)},
    )  # fmt: skip
    return {row.id: AssetRef(row.id, row.name, row.kind) for row in rows.all()}


async def list_journal(
    unit: Unit, asset: int, *, cursor: str | None = None, limit: int = 100
) -> Page[Entry]:
    """What was done to a piece of equipment, newest first. Raises NotFound."""
    await demand(unit, asset)
    return await list_object(unit, "twin.asset", str(asset), cursor=cursor, limit=limit)


async def demand(unit: Unit, asset: int) -> None:
    """Raises NotFound when the asset is not, or not for this person."""
    found = await unit.execute(text("select from twin.asset a where a.id = :id"), {"id": asset})
    if found.first() is None:
        raise not_found(asset)


async def stream(unit: Unit, chosen: Selection) -> AsyncIterator[Sequence[Row[Any]]]:
    """Rows of everything a selection finds, a thousand at a time."""
    async with unit.connection.stream(
        _ALL.where(*chosen.where).order_by(ASSET.c.id), execution_options={"yield_per": 1000}
    ) as result:
        async for rows in result.partitions():
            yield rows


def not_found(asset: int) -> NotFound:
    """The same answer for what is not and for what is hidden."""
    return NotFound("asset_not_found", f"There is no asset {asset}.", {"asset": asset})


async def _compose(unit: Unit, rows: Sequence[Row[Any]]) -> list[Asset]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    above = await _ancestors(unit, ids)
    below = await _children(unit, ids)
    states = await read_state(unit, ids)
    gateways = await _Providers.gateways(unit, ids) if _Providers.gateways else {}
    made: list[Asset] = []
    for row in rows:
        ancestors = above.get(row.id, [])
        state = states.get(row.id)
        made.append(
            Asset(
                id=row.id,
                token=row.token,
                kind=row.kind,
                trade=row.trade,
                name=row.name or row.source_id,
                source=row.source,
                source_id=row.source_id,
                municipality=row.municipality,
                street=row.street,
                point=(row.lon, row.lat),
                lifecycle=Lifecycle(
                    row.installed, row.commissioned, row.retired, row.manufacturer, row.model
                ),
                attributes=row.attributes,
                topology=Topology(
                    ancestors[0] if ancestors else None,
                    ancestors,
                    below.get(row.id, 0),
                    row.feeder,
                ),
                gateway=gateways.get(row.id),
                state=state.values if state else {},
                desired=_desired(row.kind, state.wanted if state else {}),
                version=row.version,
            )
        )
    return made


def _desired(name: str, wanted: Mapping[str, Wanted]) -> dict[str, float] | None:
    """What orders want, by the point that shows it."""
    kind = kinds.kind(name)
    if kind is None:
        return None
    found = {
        kind.points[slot].name: wanted[function].value
        for function, slot in kind.principals.items()
        if function in wanted
    }
    return {point: value for point, value in found.items() if value is not None} or None


async def _ancestors(unit: Unit, ids: Sequence[int]) -> dict[int, list[AssetRef]]:
    rows = await unit.execute(
        text(
            "with recursive up as ("  # noqa: S608
            " select a.id as asset, a.parent, 1 as depth from twin.asset a"
            "  where a.id = any(:ids) and a.parent is not null"
            " union all select up.asset, p.parent, depth + 1 from up"
            f"  join twin.asset p on p.id = up.parent where p.parent is not null"
            f"  and depth < {_DEPTH}"
            ") select up.asset, p.id, coalesce(nullif(p.name, ''), p.source_id) as name, p.kind"
            " from up join twin.asset p on p.id = up.parent order by up.asset, up.depth"
        ),
        {"ids": list(ids)},
    )
    found: dict[int, list[AssetRef]] = {}
    for row in rows.all():
        found.setdefault(row.asset, []).append(AssetRef(row.id, row.name, row.kind))
    return found


async def _children(unit: Unit, ids: Sequence[int]) -> dict[int, int]:
    rows = await unit.execute(
        text("select parent, count(*) as n from twin.asset where parent = any(:ids) group by 1"),
        {"ids": list(ids)},
    )
    return {row.parent: row.n for row in rows.all()}
