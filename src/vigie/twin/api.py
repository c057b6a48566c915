"""Equipment over HTTP."""

from typing import Annotated

from litestar.params import Parameter
from litestar.response import Stream

from vigie.core.database import Unit
from vigie.core.errors import Fault, wrong_fields
from vigie.core.journal import Entry
from vigie.core.paging import Page
from vigie.core.runtime import Runtime
from vigie.core.states import version
from vigie.core.web import (
    ANY_LOGIN,
    XLSX,
    Columns,
    Export,
    IfMatch,
    Lang,
    Limit,
    Tagged,
    download_folder,
    get,
    patch,
)
from vigie.twin import changing, kinds, service
from vigie.twin import export as exporting
from vigie.twin.model import Asset, AssetChange, KindList
from vigie.twin.views import view

Filter = Annotated[
    str,
    Parameter(
        query="filter",
        description="kind: trade: municipality: street: status:fault|silent|retired|active "
        "source: source_id: parent: id: and words of its name, id or token.",
    ),
]


@get("/assets", permission="twin.read")
async def list_assets(
    unit: Unit,
    filter_: Filter = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[Asset]:
    """Equipment that a filter finds, by id; `total` is null when over 10,000 must be counted.
    `sort` takes `id`, `name`, `kind`, `trade`, `municipality`, `street`, `source`, `source_id`,
    `installed`, `commissioned`, `retired`, `manufacturer` and `model`."""
    return await service.list_assets(unit, filter_, sort=sort, cursor=cursor, limit=limit)


@get("/assets/{asset_id:int}", permission="twin.read")
async def read_asset(unit: Unit, asset_id: int) -> Tagged[Asset]:
    """One piece of equipment, with the age of each value of its state."""
    asset = await service.read(unit, asset_id)
    return Tagged(asset, str(asset.version), live=True)


@patch("/assets/{asset_id:int}", permission="twin.change")
async def change_asset(
    unit: Unit, asset_id: int, data: AssetChange, if_match: IfMatch = None
) -> Tagged[Asset]:
    """Change what is known of one piece of equipment; If-Match is its ETag."""
    asset = await changing.update(unit, asset_id, data, _version(if_match))
    return Tagged(asset, str(asset.version))


@get("/assets/{asset_id:int}/journal", permission="twin.read")
async def read_asset_journal(
    unit: Unit, asset_id: int, cursor: str | None = None, limit: Limit = 50
) -> Page[Entry]:
    """What was done to one piece of equipment, newest first."""
    return await service.list_journal(unit, asset_id, cursor=cursor, limit=limit)


@get("/assets.geojson", permission="twin.read", media_type="application/geo+json")
async def export_geojson(export: Export, filter_: Filter = "") -> Stream:
    """Everything a filter finds, as GeoJSON."""
    return await export(
        lambda unit: exporting.geojson(unit, filter_), "application/geo+json", "assets.geojson"
    )


@get("/assets.csv", permission="twin.read", media_type="text/csv")
async def export_csv(
    export: Export, filter_: Filter = "", columns: Columns = "", lang: Lang | None = None
) -> Stream:
    """Everything a filter finds, as CSV; with `lang` its columns have names for people."""
    return await export(
        lambda unit: exporting.table(unit, filter_, lang or "", columns),
        "text/csv; charset=utf-8",
        "assets.csv",
    )


@get("/assets.xlsx", permission="twin.read", media_type=XLSX)
async def export_xlsx(
    export: Export,
    runtime: Runtime,
    filter_: Filter = "",
    columns: Columns = "",
    lang: Lang | None = None,
) -> Stream:
    """Everything a filter finds, as a workbook."""
    return await export(
        lambda unit: exporting.workbook(
            unit, filter_, download_folder(runtime), lang or "", columns
        ),
        XLSX,
        "assets.xlsx",
    )


@get("/kinds", permission=ANY_LOGIN)
async def list_kinds() -> KindList:
    """What kinds of equipment there are, what they measure and obey."""
    return KindList([view(kind) for kind in kinds.kinds().values()])


def _version(if_match: str | None) -> int:
    """The version that is changed: here it must be named, `*` is none."""
    wanted = version(if_match)
    if wanted is None:
        raise wrong_fields(
            Fault("If-Match", "missing", "the asset's ETag"),
            code="if_match_missing",
            detail="Say with If-Match which version you change: the ETag the asset was read with.",
        )
    return wanted


ROUTES = [
    list_assets,
    export_geojson,
    export_csv,
    export_xlsx,
    read_asset,
    change_asset,
    read_asset_journal,
    list_kinds,
]
