"""Saved views: a list with a filter, an order and columns that someone named, for themselves or
for those who hold a role somewhere.

One sees one's own and those shared with a role that one holds. One changes one's own only: what is
shared is its owner's still. Sharing is for who may (`core.share_views`), as far as they may: a view
opens nothing, since a list shows each reader what their own scope holds.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.database import Unit
from vigie.core.errors import Fault, Forbidden, NotFound, TooMany, wrong_fields
from vigie.core.filters import parse
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.scope import Principal
from vigie.core.states import demand_version
from vigie.core.text import checked_name

MOST = 100
SHARE = "core.share_views"

ListName = Annotated[
    str, Meta(max_length=64, pattern=r"^[a-z_]+(\.[a-z_]+)*$", description="As `twin.assets`.")
]
Title = Annotated[str, Meta(min_length=1, max_length=100)]
Filter = Annotated[str, Meta(max_length=2000)]
SortBy = Annotated[str, Meta(max_length=200, pattern=r"^(-?[a-z_]+(,-?[a-z_]+)*)?$")]
ColumnName = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")]
Columns = Annotated[list[ColumnName], Meta(max_length=50)]


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who sees a view besides its owner: a role (`*`: any), in a municipality (`*`: all)."""

    role: Annotated[str, Meta(max_length=64)] = "*"
    municipality: Annotated[str, Meta(max_length=16)] = "*"


class NewView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view to save."""

    list: ListName
    title: Title
    filter: Filter = ""
    sort: SortBy = ""
    columns: Columns = []
    shared: Share | None = None


class ViewChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a view; `shared` null takes it back from others."""

    title: Title | UnsetType = UNSET
    filter: Filter | UnsetType = UNSET
    sort: SortBy | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET
    shared: Share | UnsetType | None = UNSET


class View(msgspec.Struct, frozen=True):
    """A saved view; `own` when it is the reader's to change, `default` when their list opens with
    it."""

    id: UUID
    list: str
    title: str
    filter: str
    sort: str
    columns: Columns
    shared: Share | None
    own: bool
    created: datetime
    changed: datetime
    version: int
    default: bool = False


async def list_views(unit: Unit, list_: str | None = None) -> list[View]:
    """One's own views and those shared with one, of a list or of all, by title."""
    owner = _owner(unit.principal)
    found = await unit.execute(
        text(
            """
            select v.*, exists (select from core.view_default d
                where d.owner = :owner and d.view = v.id) as "default"
            from core.view v
            where (cast(:list as text) is null or v.list = :list)
              and (v.owner = :owner or exists (
                select from unnest(cast(:roles as text[]), cast(:municipalities as text[]))
                    as held (role, municipality)
                where v.role in ('*', held.role)
                  and (v.municipality in ('*', held.municipality) or held.municipality = '*')))
            order by v.title, v.id
            limit 1000
            """
        ),
        {
            "list": list_,
            "owner": owner,
            "roles": [grant.role for grant in unit.principal.grants],
            "municipalities": [grant.municipality for grant in unit.principal.grants],
        },
    )
    return [_view(row, owner) for row in found.mappings()]


async def create_view(unit: Unit, new: NewView) -> View:
    """Save a view. Raises Invalid for a filter that is none, TooMany for one's hundred-and-first,
    Forbidden for sharing it with others than one may."""
    owner = _owner(unit.principal)
    title = checked_name("title", new.title)
    parse(new.filter)
    if new.shared is not None:
        _demand_may_share(unit, new.shared)
    # One person's saves one after the other: the limit holds.
    await unit.execute(
        text("select pg_advisory_xact_lock(hashtextextended('core.view/' || :owner, 0))"),
        {"owner": str(owner)},
    )
    count = await unit.execute(
        text("select count(*) from core.view where owner = :owner"), {"owner": owner}
    )
    if count.scalar_one() >= MOST:
        raise TooMany(
            "too_many_views",
            f"You have {MOST} saved views, which is the most: remove some first.",
            {"limit": MOST},
        )
    now = clock.now()
    row = {
        "id": uuid7(),
        "owner": owner,
        "list": new.list,
        "title": title,
        "filter": new.filter,
        "sort": new.sort,
        "columns": list(new.columns),
        "role": new.shared and new.shared.role,
        "municipality": new.shared and new.shared.municipality,
        "created": now,
        "changed": now,
        "version": 1,
    }
    await unit.execute(
        text(
            "insert into core.view (id, owner, list, title, filter, sort, columns, role,"
            " municipality, created, changed) values (:id, :owner, :list, :title, :filter, :sort,"
            " :columns, :role, :municipality, :created, :changed)"
        ),
        row,
    )
    view = _view(row, owner)
    await _record(unit, "core.view_saved", view.id, None, _facts(view), view.title)
    return view


async def change_view(unit: Unit, view: UUID, change: ViewChange, version: int | None) -> View:
    """Change one's own view. Raises NotFound for another's, PreconditionFailed when it changed
    meanwhile, and as `create_view` does."""
    before = await _locked(unit, view)
    demand_version(before.version, version)
    fields: dict[str, Any] = {
        name: value
        for name in ("title", "filter", "sort", "columns", "shared")
        if (value := getattr(change, name)) is not UNSET
    }
    if "title" in fields:
        fields["title"] = checked_name("title", fields["title"])
    parse(fields.get("filter", ""))
    if fields.get("shared") is not None:
        _demand_may_share(unit, fields["shared"])
    after = msgspec.structs.replace(before, **fields)
    if after == before:
        return before
    after = msgspec.structs.replace(after, changed=clock.now(), version=before.version + 1)
    await unit.execute(
        text(
            "update core.view set title = :title, filter = :filter, sort = :sort,"
            " columns = :columns, role = :role, municipality = :municipality, changed = :changed,"
            " version = :version where id = :id"
        ),
        {
            "id": view,
            "title": after.title,
            "filter": after.filter,
            "sort": after.sort,
            "columns": list(after.columns),
            "role": after.shared and after.shared.role,
            "municipality": after.shared and after.shared.municipality,
            "changed": after.changed,
            "version": after.version,
        },
    )
    await _record(unit, "core.view_saved", view, _facts(before), _facts(after), after.title)
    return after


async def delete_view(unit: Unit, view: UUID) -> None:
    """Forget one's own view. Raises NotFound for another's."""
    before = await _locked(unit, view)
    await unit.execute(text("delete from core.view where id = :id"), {"id": view})
    await _record(unit, "core.view_removed", view, _facts(before), None, before.title)


async def set_default(unit: Unit, view: UUID, default: bool) -> None:
    """Have a list open with a view that one sees, or with none. Raises NotFound."""
    seen = next((one for one in await list_views(unit) if one.id == view), None)
    if seen is None:
        raise NotFound("view_not_found", "You have no such view.", {"view": str(view)})
    row = {"owner": _owner(unit.principal), "list": seen.list, "view": view}
    if default:
        await unit.execute(
            text(
                "insert into core.view_default (owner, list, view) values (:owner, :list, :view)"
                " on conflict (owner, list) do update set view = excluded.view"
            ),
            row,
        )
    else:
        await unit.execute(
            text("delete from core.view_default where owner = :owner and view = :view"), row
        )


async def erase(unit: Unit, subject: str) -> int:
    """Forget every view of a person ("user:<id>"), shared ones too; how many."""
    await unit.execute(
        text("delete from core.view_default where 'user:' || owner = :subject"),
        {"subject": subject},
    )
    gone = await unit.execute(
        text("delete from core.view where 'user:' || owner = :subject"), {"subject": subject}
    )
    return gone.rowcount


def _owner(principal: Principal) -> UUID:
    """Whose views: a person's, also by a token of theirs. Raises Forbidden for anyone else."""
    owner = principal.owner or principal.id
    if owner is None:
        raise Forbidden("views_of_people", "Only people have saved views.")
    return owner


def _demand_may_share(unit: Unit, share: Share) -> None:
    catalogue = unit.house.catalogue
    if share.role != "*" and share.role not in catalogue.roles:
        message = f"there is no role {share.role!r}: use *, {', '.join(sorted(catalogue.roles))}"
        raise wrong_fields(Fault("shared.role", "unknown_role", message))
    scope = catalogue.scope_for(unit.principal, SHARE)
    # Who acts on a trade only may share with their colleagues of that municipality too.
    inside = scope is not None and (
        scope.everything
        or share.municipality in scope.municipalities
        or any(pair.partition("/")[0] == share.municipality for pair in scope.pairs)
    )
    if not inside:
        raise Forbidden(
            "may_not_share",
            "You may not share views there: share them with a municipality where you act, or keep "
            "them to yourself.",
            {"permission": SHARE},
        )


async def _locked(unit: Unit, view: UUID) -> View:
    owner = _owner(unit.principal)
    found = await unit.execute(
        text("select * from core.view where id = :id and owner = :owner for update"),
        {"id": view, "owner": owner},
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("view_not_found", "You have no such view.", {"view": str(view)})
    return _view(row, owner)


async def _record(unit: Unit, act: str, view: UUID, before: Any, after: Any, title: str) -> None:
    # A title and a filter may hold what is about people: the journal can forget the title.
    await journal.record(
        unit,
        act,
        changes=[Change("core.view", str(view), before, after)],
        personal={"title": title},
    )


def _facts(view: View) -> dict[str, Any]:
    return {"list": view.list, "shared": view.shared}


def _view(row: Any, owner: UUID) -> View:
    return View(
        row["id"],
        row["list"],
        row["title"],
        row["filter"],
        row["sort"],
        list(row["columns"]),
        None if row["role"] is None else Share(row["role"], row["municipality"]),
        row["owner"] == owner,
        row["created"],
        row["changed"],
        row["version"],
        bool(row.get("default")),
    )
