"""One listing: the rows of a table in pages, with the filter language, any of the declared orders,
a bounded count, and everything as CSV or XLSX."""

import hashlib
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec
from sqlalchemy import ColumnElement, FromClause, Select, any_, func, literal, or_, select

from vigie.core.database import Unit
from vigie.core.filters import Fields, Predicate, parse
from vigie.core.filters import write as write_terms
from vigie.core.lists import sorting
from vigie.core.lists.export import Column, Sheet
from vigie.core.lists.sorting import Order, Sort
from vigie.core.paging import Cursor, Page
from vigie.core.scope import Scope

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

T = TypeVar("T")
FieldsOf = Callable[[Unit], Awaitable[Fields]]
Compose = Callable[[Unit, Sequence[Any]], Awaitable[list[Any]]]

COUNT_TO = 10_000
_PARTITION = 1000
_MOST_VALUES = 50


class ListQuery(msgspec.Struct, frozen=True):
    """What a client asks of a list."""

    filter: str = ""
    sort: str | None = None
    cursor: str | None = None
    limit: int = 100


class Listing(Generic[T]):
    """A list of the house.

    - `table`: what is listed: a table, or a join of some.
    - `row`: the struct that a row becomes, field by column name, or a function of the row;
      `compose` makes many at once, when they need more than their row.
    - `fields`: what it can be filtered by, or a coroutine of the unit that tells.
    - `sorts`: what it can be sorted by, under the names that clients use; `default` is an order as
      a client would ask for it, `key` the column that tells rows apart.
    - `select`: the columns that rows need, when they are not all of the table's.
    - `scope`: the columns of municipality and trade. The policy of the table decides what is seen;
      said here too, an index can serve it.
    - `count_to`: beyond so many, a total is only "at least"; 0 does not count.
    - `export`: the columns of a download; without them the struct's fields.
    - `facets`: columns whose values can be counted beside the list.

    Raises ValueError for a default that is no order.
    """

    def __init__(
        self,
        name: str,
        table: FromClause,
        *,
        row: type[T] | Callable[[Any], T] | None = None,
        compose: Callable[[Unit, Sequence[Any]], Awaitable[list[T]]] | None = None,
        fields: Fields | FieldsOf,
        sorts: Mapping[str, ColumnElement[Any] | Sort],
        default: str,
        key: ColumnElement[Any],
        select: Sequence[ColumnElement[Any]] = (),
        scope: tuple[ColumnElement[Any], ColumnElement[Any]] | None = None,
        count_to: int = COUNT_TO,
        export: Sequence[Column] = (),
        facets: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> None:
        self.name = name
        # Its routes are of the room that declares it.
        self.module: str = inspect.stack(context=0)[1].frame.f_globals.get("__name__", __name__)
        self.row = row
        self.sorts = {
            named: sort if isinstance(sort, Sort) else Sort(sort) for named, sort in sorts.items()
        }
        self.default = default
        self.facets = dict(facets or {})
        self._table, self._fields, self._scope = table, fields, scope
        self._columns = tuple(select) or tuple(table.c)
        self._key = next(
            (s for s in self.sorts.values() if s.column is key), Sort(key, nullable=False)
        )
        self._compose = compose or _composer(row)
        self._count_to = count_to
        self.export = tuple(export) or _columns_of(row)
        try:
            sorting.read(None, self.sorts, default, self._key)
        except Exception as error:
            raise ValueError(f"list {name!r}: the default order {default!r} is none") from error

    async def page(
        self,
        unit: Unit,
        query: ListQuery,
        *,
        where: Sequence[Predicate] = (),
        bound: str = "",
    ) -> Page[T]:
        """One page. Raises Invalid for a filter, an order or a cursor that is none.

        `where` narrows the list further; `bound` says how in a few letters, since a cursor belongs
        to the rows that it was given for.
        """
        order = self._order(query)
        conditions = [*where, *await self._conditions(unit, query)]
        cursor = self._cursor(order, query.filter, bound)
        last = cursor.decode(query.cursor)
        statement = self._select(order).where(*conditions)
        if last is not None:
            statement = statement.where(sorting.after(order, last))
        rows = (await unit.execute(statement.limit(query.limit + 1))).fetchall()
        total, at_least = await self._count(unit, conditions)
        shown = rows[: query.limit]
        more = cursor.encode(_key_of(shown[-1], order)) if len(rows) > len(shown) else None
        items = await self._compose(unit, shown) if shown else []
        return Page(items, more, total, at_least)

    async def rows(
        self, unit: Unit, query: ListQuery, *, where: Sequence[Predicate] = ()
    ) -> AsyncGenerator[list[T]]:
        """Everything that a query finds, in its order, a thousand at a time."""
        order = self._order(query)
        conditions = [*where, *await self._conditions(unit, query)]
        async with unit.connection.stream(
            self._select(order).where(*conditions), execution_options={"yield_per": _PARTITION}
        ) as result:
            async for rows in result.partitions():
                yield await self._compose(unit, rows)

    async def csv(
        self,
        unit: Unit,
        query: ListQuery,
        *,
        lang: str = "en",
        columns: str = "",
        where: Sequence[Predicate] = (),
    ) -> AsyncGenerator[bytes]:
        """Everything as CSV with a header in `lang`. Raises Invalid as `page` does, and for a
        column there is not."""
        sheet = Sheet(self.export, lang, columns, await unit.zone())
        async for chunk in sheet.csv(self.rows(unit, query, where=where)):
            yield chunk

    async def xlsx(
        self,
        unit: Unit,
        query: ListQuery,
        folder: Path,
        *,
        lang: str = "en",
        columns: str = "",
        where: Sequence[Predicate] = (),
    ) -> AsyncGenerator[bytes]:
        """The same as a workbook, which is written in `folder` first. Raises TooLarge for more
        rows than one holds."""
        sheet = Sheet(self.export, lang, columns, await unit.zone())
        async for chunk in sheet.xlsx(self.rows(unit, query, where=where), folder):
            yield chunk

    async def counts(self, unit: Unit, filter_: str = "") -> dict[str, dict[str, int]]:
        """How often each value of a facet is among the first 10,000 rows that a filter finds."""
        conditions = await self._conditions(unit, ListQuery(filter_))
        found: dict[str, dict[str, int]] = {}
        for name, column in self.facets.items():
            among = (
                select(column.label("value"))
                .select_from(self._table)
                .where(*conditions)
                .limit(COUNT_TO)
                .subquery()
            )
            rows = await unit.execute(
                select(among.c.value, func.count().label("n"))
                .group_by(among.c.value)
                .order_by(func.count().desc(), among.c.value)
                .limit(_MOST_VALUES)
            )
            found[name] = {str(row.value): row.n for row in rows if row.value is not None}
        return found

    def shown(self, row: Any) -> T:
        """One row as the list shows it. Raises ValueError for a list that has no `row`."""
        return _maker(self.row)(row)

    def routes(self, path: str, *, permission: str) -> "list[HTTPRouteHandler]":
        """The list and its downloads over HTTP: `path`, `path.csv`, `path.xlsx`, and
        `path/counts` when it has facets."""
        # Only a process that serves HTTP needs the web.
        from vigie.core.web.lists import routes_of

        return routes_of(self, path, permission)

    def downloads(self, path: str, *, permission: str) -> "list[HTTPRouteHandler]":
        """The same without the list itself, for a room whose list takes more than a query."""
        return self.routes(path, permission=permission)[1:]

    def _order(self, query: ListQuery) -> Order:
        return sorting.read(query.sort, self.sorts, self.default, self._key)

    async def _conditions(self, unit: Unit, query: ListQuery) -> list[Predicate]:
        fields = self._fields if isinstance(self._fields, Fields) else await self._fields(unit)
        conditions = fields.compile(query.filter)
        if self._scope is not None:
            conditions += narrow(unit.scope, *self._scope)
        return conditions

    def _cursor(self, order: Order, filter_: str, bound: str) -> Cursor:
        # The filter as it was understood: written otherwise it is still the same list.
        asked = f"{bound}\n{write_terms(parse(filter_))}".encode()
        name = f"{self.name}:{sorting.write(order)}:{hashlib.sha256(asked).hexdigest()[:16]}"
        return Cursor(
            name,
            *(step.sort.type for step in order),
            nullable=[step.sort.nullable for step in order],
        )

    def _select(self, order: Order) -> Select[Any]:
        keys = [step.sort.column.label(_label(n)) for n, step in enumerate(order)]
        return (
            select(*self._columns, *keys)
            .select_from(self._table)
            .order_by(*sorting.order_by(order))
        )

    async def _count(
        self, unit: Unit, conditions: Sequence[Predicate]
    ) -> tuple[int | None, int | None]:
        if not self._count_to:
            return None, None
        some = (
            select(literal(1)).select_from(self._table).where(*conditions)
            .limit(self._count_to + 1).subquery()
        )  # fmt: skip
        count = int((await unit.execute(select(func.count()).select_from(some))).scalar_one())
        return (None, self._count_to) if count > self._count_to else (count, None)


def narrow(
    scope: Scope, municipality: ColumnElement[Any], trade: ColumnElement[Any]
) -> list[Predicate]:
    """The scope in a form that an index serves, beside the policy."""
    if scope.everything:
        return []
    codes = scope.municipalities | {pair.partition("/")[0] for pair in scope.pairs}
    inside: Predicate = municipality == any_(literal(sorted(codes)))
    if scope.trades:
        inside = or_(inside, trade == any_(literal(sorted(scope.trades))))
    return [inside]


def _label(n: int) -> str:
    return f"_sort_{n}"


def _key_of(row: Any, order: Order) -> list[Any]:
    return [row._mapping[_label(n)] for n in range(len(order))]


def _maker(row: Any) -> Callable[[Any], Any]:
    """What makes one row's struct of it."""
    if row is None:
        raise ValueError("a listing needs `row` or `compose`")
    if not (isinstance(row, type) and issubclass(row, msgspec.Struct)):
        return row
    names = row.__struct_fields__

    def make(one: Any) -> Any:
        mapping = one._mapping
        return msgspec.convert({name: mapping[name] for name in names}, row)

    return make


def _composer(row: Any) -> Compose:
    make = _maker(row)

    async def compose(unit: Unit, rows: Sequence[Any]) -> list[Any]:
        return [make(one) for one in rows]

    return compose


def _columns_of(row: Any) -> tuple[Column, ...]:
    if isinstance(row, type) and issubclass(row, msgspec.Struct):
        return tuple(Column(name) for name in cast("Any", row).__struct_fields__)
    return ()
