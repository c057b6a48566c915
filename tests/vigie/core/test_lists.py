"""Lists: pages join to the whole list in any order, a cursor belongs to what it was given for, a
download holds what the list shows, and no cell of it runs."""

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, MetaData, Table, Text, Uuid
from sqlalchemy import text as sql

from tests.support.rooms import PERMISSIONS, ROLES
from tests.support.web import person
from vigie.core import lists
from vigie.core.database import Database, Unit
from vigie.core.errors import Invalid, TooLarge
from vigie.core.filters import Choice, Fields, Number, Time, contains
from vigie.core.lists import Listing, ListQuery, Sheet, Sort
from vigie.core.lists import export as exporting
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, SYSTEM, Scope
from vigie.core.web import build_app

ROW = Table(
    "test_row",
    MetaData(schema="core"),
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("day", Date),
    Column("size", Float),
    Column("open", Boolean, nullable=False),
    Column("uuid", Uuid),
    Column("municipality", Text),
    Column("trade", Text),
)


class Row(msgspec.Struct, frozen=True):
    id: int
    name: str | None
    at: datetime
    day: date | None
    size: float | None
    open: bool
    uuid: UUID | None


SORTS = {
    "id": ROW.c.id,
    "name": ROW.c.name,
    "at": ROW.c.at,
    "day": ROW.c.day,
    "size": ROW.c.size,
    "open": ROW.c.open,
    "uuid": ROW.c.uuid,
}
FIELDS = Fields(
    Choice("name", ROW.c.name, ["a", "b", "c"]),
    Number("size", ROW.c.size),
    Time("at", ROW.c.at),
    words=lambda word: ROW.c.name.like(contains(word)),
)
LIST = Listing(
    "test.rows", ROW, row=Row, fields=FIELDS, sorts=SORTS, default="-at", key=ROW.c.id,
    scope=(ROW.c.municipality, ROW.c.trade), facets={"name": ROW.c.name},
)  # fmt: skip
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
COUNT = 120


def row(n: int) -> tuple[Any, ...]:
    """Few different values and many nulls: ties in every column but the key."""
    return (
        n,
        [None, "a", "b", "c", "=1+1"][n % 5],
        START + timedelta(hours=n % 7),
        None if n % 3 == 0 else date(2026, 1, 1 + n % 4),
        None if n % 4 == 0 else (n % 6) / 2,
        n % 2 == 0,
        None if n % 2 else UUID(int=n % 5),
        "21231" if n % 2 else "21166",
        "lighting",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rows(
    database: Database, owner: psycopg.AsyncConnection
) -> AsyncIterator[psycopg.AsyncConnection]:
    await owner.execute(
        "create table core.test_row (id int primary key, name text, at timestamptz not null,"
        " day date, size float8, open boolean not null, uuid uuid, municipality text, trade text)"
    )
    await owner.execute("grant select on core.test_row to vigie_runtime")
    async with owner.cursor() as cursor:
        await cursor.executemany(
            "insert into core.test_row values (%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            [row(n) for n in range(COUNT)],
        )
    yield owner


def expected(sort: str, kept: list[tuple[Any, ...]]) -> list[int]:
    """The order in plain Python: nulls last, ties by the key in the last direction."""
    names = ["id", "name", "at", "day", "size", "open", "uuid"]
    steps = [(part.removeprefix("-"), part.startswith("-")) for part in sort.split(",")]
    if "id" not in [name for name, _ in steps]:
        steps.append(("id", steps[-1][1]))
    ordered = list(kept)
    for name, down in reversed(steps):
        column = names.index(name)
        there = [r for r in ordered if r[column] is not None]
        there.sort(key=lambda r: r[column], reverse=False)
        if down:
            # A stable sort downwards: equal ones stay in their order.
            there = sorted(
                [r for r in ordered if r[column] is not None], key=lambda r: r[column],
                reverse=True,
            )  # fmt: skip
        ordered = there + [r for r in ordered if r[column] is None]
    return [r[0] for r in ordered]


async def joined(unit: Unit, query: ListQuery, **more: Any) -> list[Row]:
    """All pages, one after the other."""
    seen: list[Row] = []
    while True:
        page = await LIST.page(unit, query, **more)
        assert len(page.items) <= query.limit
        seen += page.items
        if page.next is None:
            return seen
        query = msgspec.structs.replace(query, cursor=page.next)


ORDERS = st.lists(
    st.tuples(st.sampled_from(sorted(SORTS)), st.booleans()),
    min_size=1, max_size=3, unique_by=lambda part: part[0],
).map(lambda parts: ",".join(f"{'-' if down else ''}{name}" for name, down in parts))  # fmt: skip
FILTERS = {
    "": lambda r: True,
    "name:a,b": lambda r: r[1] in ("a", "b"),
    "-name:a": lambda r: r[1] != "a",
    "size:>1": lambda r: r[4] is not None and r[4] > 1,
    "-size:>1 name:c": lambda r: not (r[4] is not None and r[4] > 1) and r[1] == "c",
    "at:>=2026-11-01T10:00:00Z": lambda r: r[2] >= START + timedelta(hours=2),
}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ORDERS, st.sampled_from([1, 7, 50, 1000]), st.sampled_from(sorted(FILTERS)))
async def test_pages_join_to_the_whole_list_in_order(
    rows: Any, database: Database, sort: str, limit: int, filter_: str
) -> None:
    if limit == 1:
        filter_ = "name:c size:>1" if filter_ == "" else filter_
    kept = [r for r in map(row, range(COUNT)) if FILTERS.get(filter_, _both)(r)]
    async with database.unit() as unit:
        found = await joined(unit, ListQuery(filter_, sort, None, limit))
        page = await LIST.page(unit, ListQuery(filter_, sort, None, limit))
    assert [r.id for r in found] == expected(sort, kept)
    assert (page.total, page.total_at_least) == (len(kept), None)


def _both(r: tuple[Any, ...]) -> bool:
    return r[1] == "c" and r[4] is not None and r[4] > 1


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ORDERS, st.integers(3, 20))
async def test_rows_that_come_meanwhile_neither_repeat_nor_drop_others(
    rows: psycopg.AsyncConnection, database: Database, sort: str, limit: int
) -> None:
    seen: list[int] = []
    query, new = ListQuery("", sort, None, limit), 1000
    try:
        while True:
            async with database.unit() as unit:
                page = await LIST.page(unit, query)
            seen += [r.id for r in page.items]
            if page.next is None:
                break
            query = msgspec.structs.replace(query, cursor=page.next)
            values = (new, *row(new)[1:])
            await rows.execute(
                "insert into core.test_row values (%s,%s,%s,%s,%s,%s,%s,%s,%s)", values
            )
            new += 1
    finally:
        await rows.execute("delete from core.test_row where id >= 1000")
    assert len(seen) == len(set(seen))
    assert [n for n in seen if n < 1000] == expected(sort, [row(n) for n in range(COUNT)])


@pytest.mark.parametrize(
    ("other", "bound"),
    [
        (ListQuery("", "at"), ""),
        (ListQuery("", "-at,name"), ""),
        (ListQuery("name:a", "-at"), ""),
        (ListQuery("", "-at"), "open"),
        (ListQuery("", "-id"), ""),
    ],
)
async def test_a_cursor_of_another_order_or_filter_is_refused(
    rows: Any, database: Database, other: ListQuery, bound: str
) -> None:
    async with database.unit() as unit:
        first = await LIST.page(unit, ListQuery("", "-at", None, 5))
        assert (await LIST.page(unit, ListQuery("", None, first.next, 5))).items, "the default"
        with pytest.raises(Invalid) as refused:
            await LIST.page(
                unit, msgspec.structs.replace(other, cursor=first.next, limit=5), bound=bound
            )
    assert refused.value.code == "bad_cursor"


@pytest.mark.parametrize(
    ("sort", "says"),
    [
        ("height", "there is no 'height' here: use at, day, id, name, open, size, uuid"),
        ("-at,at", "at is named twice"),
        ("at,name,size,day", "3 fields at most"),
        ("at,", "there is no ''"),
    ],
)
async def test_an_order_there_is_not_is_refused_naming_those_there_are(
    rows: Any, database: Database, sort: str, says: str
) -> None:
    async with database.unit() as unit:
        with pytest.raises(Invalid) as refused:
            await LIST.page(unit, ListQuery("", sort))
    assert refused.value.code == "bad_sort"
    assert says in refused.value.detail
    assert refused.value.errors[0]["field"] == "sort"


def test_a_default_that_is_no_order_fails_when_it_is_declared() -> None:
    with pytest.raises(ValueError, match=r"test\.bad"):
        Listing(
            "test.bad", ROW, row=Row, fields=FIELDS, sorts={"at": ROW.c.at}, default="name",
            key=ROW.c.id,
        )  # fmt: skip
    with pytest.raises(TypeError, match="cannot be sorted by"):
        Sort(Table("x", MetaData(), Column("x")).c.x)


async def test_a_total_beyond_its_bound_is_at_least(rows: Any, database: Database) -> None:
    few = Listing(
        "test.few", ROW, row=Row, fields=FIELDS, sorts=SORTS, default="id", key=ROW.c.id,
        count_to=COUNT - 1,
    )  # fmt: skip
    none = Listing(
        "test.none", ROW, row=Row, fields=FIELDS, sorts=SORTS, default="id", key=ROW.c.id,
        count_to=0,
    )  # fmt: skip
    async with database.unit() as unit:
        page = await few.page(unit, ListQuery(limit=5))
        assert (page.total, page.total_at_least) == (None, COUNT - 1)
        page = await few.page(unit, ListQuery("name:a", limit=5))
        assert (page.total, page.total_at_least) == (COUNT // 5, None)
        page = await none.page(unit, ListQuery(limit=5))
        assert (page.total, page.total_at_least) == (None, None)


async def test_the_scope_is_said_to_the_index_too(rows: Any, database: Database) -> None:
    scope = Scope(pairs=frozenset({"21231/lighting"}))
    async with database.unit(SYSTEM, scope) as unit:
        found = await joined(unit, ListQuery())
    assert {r.id % 2 for r in found} == {1}
    assert lists.narrow(EVERYTHING, ROW.c.municipality, ROW.c.trade) == []


async def test_values_are_counted(rows: Any, database: Database) -> None:
    async with database.unit() as unit:
        counts = await LIST.counts(unit, "name:a,b")
    assert counts == {"name": {"a": COUNT // 5, "b": COUNT // 5}}


async def _csv(unit: Unit, query: ListQuery, **more: Any) -> list[list[str]]:
    text = b"".join([chunk async for chunk in LIST.csv(unit, query, **more)]).decode()
    return list(csv.reader(io.StringIO(text)))


async def test_a_download_holds_what_the_list_shows(
    rows: Any, database: Database, tmp_path: Path
) -> None:
    query = ListQuery("-name:a", "-size,name")
    async with database.unit() as unit:
        shown = await joined(unit, query)
        header, *lines = await _csv(unit, query)
        sheet = b"".join([chunk async for chunk in LIST.xlsx(unit, query, tmp_path)])
    assert header == list(Row.__struct_fields__)
    assert [int(line[0]) for line in lines] == [r.id for r in shown]
    assert _ids(sheet) == [r.id for r in shown]
    assert list(tmp_path.iterdir()) == [], "nothing stays on the disk"


def _xml(sheet: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(sheet)) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


def _ids(sheet: bytes) -> list[int]:
    return [int(n) for n in re.findall(r'<c r="A\d+"><v>(\d+)</v>', _xml(sheet))]


async def test_columns_are_chosen_named_and_refused(rows: Any, database: Database) -> None:
    async with database.unit() as unit:
        header, first, *_ = await _csv(unit, ListQuery("", "id"), columns="at,id")
        assert header == ["at", "id"]
        assert first[1] == "0"
        with pytest.raises(Invalid, match="there is no 'height'"):
            await _csv(unit, ListQuery(), columns="height")


def test_a_header_is_in_the_readers_language() -> None:
    column = exporting.Column("at", en="When", fr="Quand")
    assert Sheet([column], "fr")._header == ["Quand"]
    assert Sheet([column], "en")._header == ["When"]
    assert Sheet([exporting.Column("at")], "fr")._header == ["at"]


@pytest.mark.parametrize("text", ["=1+1", "+33", "-1", "@x", "\tx", "\rx", "https://x.example"])
async def test_no_cell_runs(text: str, tmp_path: Path) -> None:
    async def pages() -> AsyncIterator[list[str]]:
        yield [text]

    sheet = Sheet([exporting.Column("text", lambda row: row)])
    written = b"".join([chunk async for chunk in sheet.csv(pages())]).decode()
    _, (cell,) = list(csv.reader(io.StringIO(written, newline="")))
    assert cell == (text if text.startswith("https") else "'" + text)
    book = b"".join([chunk async for chunk in sheet.xlsx(pages(), tmp_path)])
    assert "<f>" not in _xml(book)
    assert "hyperlink" not in _xml(book)
    assert 't="inlineStr"' in _xml(book)


async def test_times_are_the_citys(tmp_path: Path) -> None:
    async def pages() -> AsyncIterator[list[datetime]]:
        yield [START]

    sheet = Sheet([exporting.Column("at", lambda row: row)], zone=ZoneInfo("Europe/Paris"))
    written = b"".join([chunk async for chunk in sheet.csv(pages())]).decode()
    assert "2026-11-01T09:00:00+01:00" in written
    book = b"".join([chunk async for chunk in sheet.xlsx(pages(), tmp_path)])
    # Days since 1899-12-30.
    assert f"<v>{(datetime(2026, 11, 1) - datetime(1899, 12, 30)).days + 9 / 24}"[:12] in _xml(book)


async def test_more_rows_than_a_sheet_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 3)

    async def pages() -> AsyncIterator[list[int]]:
        yield [1, 2]
        yield [3, 4]

    sheet = Sheet([exporting.Column("n", lambda row: row)])
    with pytest.raises(TooLarge):
        async for _ in sheet.xlsx(pages(), tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_the_routes_of_a_listing(rows: Any, runtime: Runtime) -> None:
    app = build_app(
        runtime, LIST.routes("/test/rows", permission="core.system"), PERMISSIONS, ROLES
    )
    async with await person(app, runtime, "reader", "viewer") as http:
        at = "/api/v1/test/rows"
        page = (await http.get(at, params={"sort": "-id", "limit": 2})).json()
        assert [item["id"] for item in page["items"]] == [COUNT - 1, COUNT - 2]
        assert page["total"] == COUNT
        refused = await http.get(at, params={"sort": "height"})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_sort")
        taken = await http.get(f"{at}.csv", params={"filter": "name:a", "columns": "id,name"})
        assert taken.status_code == 200, taken.text
        assert len(taken.text.splitlines()) == COUNT // 5 + 1
        assert 'filename="test-rows.csv"' in taken.headers["content-disposition"]
        taken = await http.get(f"{at}.xlsx", params={"sort": "id"})
        assert _ids(taken.content) == list(range(COUNT))
        assert (await http.get(f"{at}/counts")).json()["name"]["a"] == COUNT // 5
        schema = (await http.get("/api/v1/openapi.json")).json()["paths"]["/api/v1/test/rows"]
        assert schema["get"]["operationId"] == "test.list_rows"


async def test_an_index_serves_an_order_of_columns_without_nulls(
    rows: psycopg.AsyncConnection, database: Database
) -> None:
    await rows.execute("create index test_row_at on core.test_row (at desc, id desc)")
    async with database.unit() as unit:
        first = await LIST.page(unit, ListQuery("", "-at", None, 5))
        query = ListQuery("", "-at", first.next, 5)
        order = LIST._order(query)
        last = LIST._cursor(order, "", "").decode(first.next)
        assert last is not None
        statement = LIST._select(order).where(lists.sorting.after(order, last)).limit(6)
        compiled = str(
            statement.compile(
                dialect=unit.connection.dialect, compile_kwargs={"literal_binds": True}
            )
        )
        await unit.execute(sql("set local enable_seqscan = off"))
        plan = "\n".join((await unit.execute(sql(f"explain {compiled}"))).scalars())
    assert "Index Scan using test_row_at" in plan
    assert "Sort" not in plan
