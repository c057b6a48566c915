"""A listing over HTTP: its page, its downloads, what its values are."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from litestar.response import Stream

from vigie.core.database import Unit
from vigie.core.lists import Listing, ListQuery
from vigie.core.paging import Page
from vigie.core.runtime import Runtime
from vigie.core.web.downloads import Export
from vigie.core.web.routes import Handler, Limit, get

T = TypeVar("T")
Lang = Literal["en", "fr"]
Filter = Annotated[
    str, Parameter(query="filter", description="The filter language: `field:value` and words.")
]
SortBy = Annotated[
    str | None,
    Parameter(
        query="sort",
        max_length=200,
        description="Fields parted by commas, `-` before one for descending: `-at,name`.",
    ),
]
Columns = Annotated[
    str, Parameter(max_length=2000, description="Some columns, parted by commas; all without.")
]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def routes_of(listing: Listing[Any], path: str, permission: str) -> list[HTTPRouteHandler]:
    """The routes of a listing; their operations are named after it: `logbook.list_entries`."""
    room, _, what = listing.name.partition(".")
    what = what.replace(".", "_")
    file = listing.name.replace(".", "-")
    sorts = ", ".join(f"`{name}`" for name in sorted(listing.sorts))

    def of_room(handler: Handler) -> Handler:
        handler.__module__ = listing.module
        return handler

    def named(verb: str) -> dict[str, Any]:
        return {"tags": [room], "operation_id": f"{room}.{verb}_{what}"}

    async def list_rows(
        unit: Unit,
        filter_: Filter = "",
        sort: SortBy = None,
        cursor: str | None = None,
        limit: Limit = 100,
    ) -> Page[Any]:
        return await listing.page(unit, ListQuery(filter_, sort, cursor, limit))

    if isinstance(listing.row, type):
        list_rows.__annotations__["return"] = Page[listing.row]  # type: ignore[name-defined]
    list_rows.__doc__ = (
        f"A page of {listing.name}; `sort` takes {sorts}, and is `{listing.default}` without."
    )

    async def export_csv(
        export: Export,
        filter_: Filter = "",
        sort: SortBy = None,
        columns: Columns = "",
        lang: Lang = "en",
    ) -> Stream:
        query = ListQuery(filter_, sort)
        return await export(
            lambda unit: listing.csv(unit, query, lang=lang, columns=columns),
            "text/csv; charset=utf-8",
            f"{file}.csv",
        )

    export_csv.__doc__ = f"Everything that a filter finds in {listing.name}, as CSV."

    async def export_xlsx(
        export: Export,
        runtime: Runtime,
        filter_: Filter = "",
        sort: SortBy = None,
        columns: Columns = "",
        lang: Lang = "en",
    ) -> Stream:
        query = ListQuery(filter_, sort)
        return await export(
            lambda unit: listing.xlsx(
                unit, query, download_folder(runtime), lang=lang, columns=columns
            ),
            XLSX,
            f"{file}.xlsx",
        )

    export_xlsx.__doc__ = f"Everything that a filter finds in {listing.name}, as a workbook."

    routes = [
        get(path, permission=permission, **named("list"))(of_room(list_rows)),
        get(f"{path}.csv", permission=permission, media_type="text/csv", **named("csv_of"))(
            of_room(export_csv)
        ),
        get(f"{path}.xlsx", permission=permission, media_type=XLSX, **named("xlsx_of"))(
            of_room(export_xlsx)
        ),
    ]
    if listing.facets:

        async def count_values(unit: Unit, filter_: Filter = "") -> dict[str, dict[str, int]]:
            return await listing.counts(unit, filter_)

        count_values.__doc__ = (
            f"How often each value of {', '.join(listing.facets)} is among the first 10,000 rows "
            "that a filter finds."
        )
        routes.append(
            get(f"{path}/counts", permission=permission, **named("counts_of"))(
                of_room(count_values)
            )
        )
    return routes


def download_folder(runtime: Runtime) -> Path:
    """Where downloads are written before they are sent."""
    return runtime.settings.root / "tmp"
