"""The desk's verbs: each in the caller's unit of work."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal, live
from vigie.core.database import Unit
from vigie.core.desk.model import (
    DeskHold,
    DeskPost,
    DeskPreferences,
    DeskWindow,
    NewPost,
    Taking,
    Wall,
    WallChange,
    WallTile,
)
from vigie.core.errors import Conflict, Forbidden, NotFound, TooMany
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.objects import Ref, Title, titles
from vigie.core.scope import scope_key
from vigie.core.states import demand_version
from vigie.core.text import checked_name

PRESENCE, LOCKS, WALLS = "desk.presence", "desk.locks", "desk.walls"
PRESENT_FOR = timedelta(seconds=60)
TAKEN_FOR = timedelta(minutes=10)
MOST_POSTS = 30
MOST_WALLS = 20


async def read_preferences(unit: Unit) -> DeskPreferences:
    """One's own; as they come for who has set none."""
    found = await unit.execute(
        text("select body from core.desk_preference where person = :person"),
        {"person": _person(unit)},
    )
    body = found.scalar_one_or_none()
    return DeskPreferences() if body is None else msgspec.convert(body, DeskPreferences)


async def write_preferences(unit: Unit, new: DeskPreferences) -> DeskPreferences:
    """Keep one's own. They concern nobody else, and are not an act."""
    await unit.execute(
        text(
            "insert into core.desk_preference (person, body, changed) values (:person,"
            " cast(:body as jsonb), :now) on conflict (person) do update"
            " set body = excluded.body, changed = excluded.changed"
        ),
        {"person": _person(unit), "body": _json(new), "now": clock.now()},
    )
    return new


async def list_posts(unit: Unit) -> list[DeskPost]:
    """One's own, by title."""
    found = await unit.execute(
        text("select * from core.desk_post where person = :person order by title"),
        {"person": _person(unit)},
    )
    return [_post(row) for row in found.mappings()]


async def save_post(unit: Unit, new: NewPost) -> DeskPost:
    """Keep windows under a name; the same name is replaced. Raises TooMany for one too many."""
    person, title = _person(unit), checked_name("title", new.title)
    # One person's saves one after the other: the limit holds.
    await unit.execute(
        text("select pg_advisory_xact_lock(hashtextextended('core.desk_post/' || :person, 0))"),
        {"person": str(person)},
    )
    others = await unit.execute(
        text("select count(*) from core.desk_post where person = :person and title <> :title"),
        {"person": person, "title": title},
    )
    if others.scalar_one() >= MOST_POSTS:
        raise TooMany(
            "too_many_posts",
            f"You have {MOST_POSTS} saved posts, which is the most: remove some first.",
            {"limit": MOST_POSTS},
        )
    saved = await unit.execute(
        text(
            "insert into core.desk_post (id, person, title, windows, changed) values (:id, :person,"
            " :title, cast(:windows as jsonb), :now) on conflict (person, title) do update"
            " set windows = excluded.windows, changed = excluded.changed returning *"
        ),
        {
            "id": uuid7(),
            "person": person,
            "title": title,
            "windows": _json(new.windows),
            "now": clock.now(),
        },
    )
    return _post(saved.mappings().one())


async def delete_post(unit: Unit, post: UUID) -> None:
    """Forget one's own post. Raises NotFound for another's."""
    gone = await unit.execute(
        text("delete from core.desk_post where id = :id and person = :person"),
        {"id": post, "person": _person(unit)},
    )
    if gone.rowcount == 0:
        raise NotFound("post_not_found", "You have no such post.", {"post": str(post)})


async def look(unit: Unit, ref: Ref) -> None:
    """Say that one looks at an object, for a minute; what one took stays taken. Raises NotFound for
    an object that one may not see."""
    title = await _seen(unit, ref)
    now = clock.now()
    values = {**_place(unit, ref, title), "since": now, "until": now + PRESENT_FOR}
    await unit.execute(_PRESENT, {**values, "now": now})
    await unit.execute(
        text(
            "update core.desk_lock set until = greatest(until, :taken)"
            " where type = :type and object = :object and person = :person and until > :now"
        ),
        {**values, "taken": now + TAKEN_FOR, "now": now},
    )
    await _sweep(unit)
    # Also when one was there before: the others' screens reckon with `until`.
    await _touch(unit, PRESENCE, f"{ref.type}/{ref.id}/{values['person']}", title)


async def leave(unit: Unit, ref: Ref) -> None:
    """Say that one looks at it no more."""
    gone = await unit.execute(
        text(
            "delete from core.desk_presence where type = :type and object = :object"
            " and person = :person returning municipality, trade, compartment"
        ),
        {"type": ref.type, "object": ref.id, "person": _person(unit)},
    )
    for row in gone:
        await live.touched(
            unit, PRESENCE, f"{ref.type}/{ref.id}/{_person(unit)}",
            _key(row.municipality, row.trade), row.compartment,
        )  # fmt: skip


async def take(unit: Unit, new: Taking) -> DeskHold:
    """Take an object, so that colleagues see that somebody is at it. Raises Conflict naming who has
    it, unless it is taken over; NotFound for what one may not see."""
    ref = new.object
    title = await _seen(unit, ref)
    now = clock.now()
    values = {**_place(unit, ref, title), "since": now, "until": now + TAKEN_FOR}
    await unit.execute(
        text("select pg_advisory_xact_lock(hashtextextended('core.desk_lock/' || :of, 0))"),
        {"of": f"{ref.type}/{ref.id}"},
    )
    found = await unit.execute(
        text("select * from core.desk_lock where type = :type and object = :object"), values
    )
    before = found.mappings().one_or_none()
    if before is not None and before["until"] <= now:
        before = None
    if before is not None and before["person"] != values["person"] and not new.over:
        raise Conflict(
            "taken_by_other",
            f"{before['name']} has taken this: ask them, or take it over.",
            {"name": before["name"], "since": before["since"].isoformat()},
        )
    if before is not None and before["person"] == values["person"]:
        values["since"] = before["since"]
    await unit.execute(_TAKE, values)
    if before is None or before["person"] != values["person"]:
        await _record(unit, "core.object_taken", ref, title, over=before is not None)
    await _touch(unit, LOCKS, f"{ref.type}/{ref.id}", title)
    return _hold(values)


async def give_back(unit: Unit, ref: Ref) -> None:
    """Let go of what one took; what one does not have is let go of already."""
    gone = await unit.execute(
        text(
            "delete from core.desk_lock where type = :type and object = :object"
            " and person = :person returning municipality, trade, compartment"
        ),
        {"type": ref.type, "object": ref.id, "person": _person(unit)},
    )
    for row in gone:
        title = Title("", "", None, row.municipality, row.trade, row.compartment)
        await _record(unit, "core.object_released", ref, title)
        await _touch(unit, LOCKS, f"{ref.type}/{ref.id}", title)


async def read_wall(unit: Unit, name: str) -> Wall:
    """What a wall shows; nothing yet, for one that nobody set."""
    found = await unit.execute(
        text("select * from core.desk_wall where name = :name"), {"name": name}
    )
    row = found.mappings().one_or_none()
    return Wall(name, [], False, "", None, 0) if row is None else _wall(row)


async def set_wall(unit: Unit, name: str, new: WallChange, version: int | None) -> Wall:
    """Show something else on a wall. Raises Conflict for a locked one that is not unlocked in the
    same act, and PreconditionFailed when it changed meanwhile."""
    await unit.execute(
        text("select pg_advisory_xact_lock(hashtextextended('core.desk_wall', 0))"), {}
    )
    before = await read_wall(unit, name)
    demand_version(before.version, version)
    if before.locked and not new.unlock:
        raise Conflict(
            "wall_locked",
            f"{before.changed_by} has locked this wall: unlock it first.",
            {"name": before.changed_by},
        )
    if before.version == 0:
        count = await unit.execute(text("select count(*) from core.desk_wall"))
        if count.scalar_one() >= MOST_WALLS:
            raise TooMany("too_many_walls", f"There are {MOST_WALLS} walls, which is the most.")
    saved = await unit.execute(
        text(
            "insert into core.desk_wall (name, tiles, locked, changed_by, changed, version)"
            " values (:name, cast(:tiles as jsonb), :locked, :by, :now, :version)"
            " on conflict (name) do update set tiles = excluded.tiles, locked = excluded.locked,"
            " changed_by = excluded.changed_by, changed = excluded.changed,"
            " version = excluded.version returning *"
        ),
        {
            "name": name,
            "tiles": _json(new.tiles),
            "locked": new.locked,
            "by": unit.principal.name,
            "now": clock.now(),
            "version": before.version + 1,
        },
    )
    kinds = [tile.kind for tile in new.tiles]
    await journal.record(
        unit,
        "core.wall_set",
        params={"wall": name},
        changes=[
            Change(
                "core.wall", name,
                {"tiles": [tile.kind for tile in before.tiles], "locked": before.locked},
                {"tiles": kinds, "locked": new.locked},
            )
        ],
    )  # fmt: skip
    await live.touched(unit, WALLS, name)
    return _wall(saved.mappings().one())


async def presence_rows(unit: Unit, ids: Sequence[str] | None) -> list[live.Row]:
    """Who looks at what now."""
    return await _hold_rows(unit, "core.desk_presence", ids, by_person=True)


async def lock_rows(unit: Unit, ids: Sequence[str] | None) -> list[live.Row]:
    """Who took what."""
    return await _hold_rows(unit, "core.desk_lock", ids, by_person=False)


async def wall_rows(unit: Unit, ids: Sequence[str] | None) -> list[live.Row]:
    """What the walls show."""
    found = await unit.execute(
        text("select * from core.desk_wall where cast(:ids as text[]) is null or name = any(:ids)"),
        {"ids": None if ids is None else list(ids)},
    )
    return [live.Row(row["name"], "", _wall(row)) for row in found.mappings()]


async def erase(unit: Unit, subject: str) -> int:
    """Forget how a person set up their desk ("user:<id>"), and that they looked at anything."""
    rows = 0
    for table in ("desk_preference", "desk_post", "desk_presence", "desk_lock"):
        gone = await unit.execute(
            text(f"delete from core.{table} where 'user:' || person = :subject"),  # noqa: S608
            {"subject": subject},
        )
        rows += gone.rowcount
    return rows


_PRESENT = text(
    """
    insert into core.desk_presence
        (person, type, object, name, municipality, trade, compartment, since, until)
    values (:person, :type, :object, :name, :municipality, :trade, :compartment, :since, :until)
    on conflict (type, object, person) do update set
        name = excluded.name, municipality = excluded.municipality, trade = excluded.trade,
        compartment = excluded.compartment, until = excluded.until,
        since = case when core.desk_presence.until > :now then core.desk_presence.since
                     else excluded.since end
    """
)
_TAKE = text(
    """
    insert into core.desk_lock
        (type, object, person, name, municipality, trade, compartment, since, until)
    values (:type, :object, :person, :name, :municipality, :trade, :compartment, :since, :until)
    on conflict (type, object) do update set
        person = excluded.person, name = excluded.name, municipality = excluded.municipality,
        trade = excluded.trade, compartment = excluded.compartment, since = excluded.since,
        until = excluded.until
    """
)


async def _sweep(unit: Unit) -> None:
    """What is over is dropped from the screens, a little at each look."""
    gone = await unit.execute(
        text(
            """
            delete from core.desk_presence where (type, object, person) in (
                select type, object, person from core.desk_presence
                where until < :now limit 100 for update skip locked)
            returning type, object, person, municipality, trade, compartment
            """
        ),
        {"now": clock.now()},
    )
    for row in gone:
        key = _key(row.municipality, row.trade)
        await live.touched(
            unit, PRESENCE, f"{row.type}/{row.object}/{row.person}", key, row.compartment
        )


async def _hold_rows(
    unit: Unit, table: str, ids: Sequence[str] | None, *, by_person: bool
) -> list[live.Row]:
    key = "type || '/' || object" + (" || '/' || person" if by_person else "")
    found = await unit.execute(
        text(
            f"select *, {key} as key from {table} where until > :now"  # noqa: S608
            f" and (cast(:ids as text[]) is null or {key} = any(:ids)) limit 5001"
        ),
        {"now": clock.now(), "ids": None if ids is None else list(ids)},
    )
    return [
        live.Row(
            row["key"], _key(row["municipality"], row["trade"]), _hold(row), row["compartment"]
        )
        for row in found.mappings()
    ]


async def _seen(unit: Unit, ref: Ref) -> Title:
    title = (await titles(unit, [ref])).get(ref)
    if title is None:
        raise NotFound("not_found", "There is no such object, or you may not see it.")
    return title


async def _touch(unit: Unit, topic: str, row: str, title: Title) -> None:
    await live.touched(unit, topic, row, _key(title.municipality, title.trade), title.compartment)


async def _record(unit: Unit, act: str, ref: Ref, title: Title, *, over: bool = False) -> None:
    scope = scope_key(title.municipality, title.trade, title.compartment)
    await journal.record(
        unit,
        act,
        changes=[Change(ref.type, ref.id, None, None, scope)],
        params={"over": over},
    )


def _person(unit: Unit) -> UUID:
    """Whose desk: a person's, also by a token of theirs. Raises Forbidden for anyone else."""
    person = unit.principal.owner or unit.principal.id
    if person is None:
        raise Forbidden("desks_of_people", "Only people have a desk.")
    return person


def _place(unit: Unit, ref: Ref, title: Title) -> dict[str, Any]:
    return {
        "person": _person(unit),
        "name": unit.principal.name,
        "type": ref.type,
        "object": ref.id,
        "municipality": title.municipality,
        "trade": title.trade,
        "compartment": title.compartment,
    }


def _key(municipality: str, trade: str) -> str:
    """As the live screens scope a row; of no place at all, seen by all who see the topic."""
    return f"{municipality}/{trade}" if municipality or trade else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _post(row: Any) -> DeskPost:
    windows = msgspec.convert(row["windows"], list[DeskWindow])
    return DeskPost(row["id"], row["title"], windows, row["changed"])


def _hold(row: Any) -> DeskHold:
    return DeskHold(
        row["type"], row["object"], row["person"], row["name"], row["since"], row["until"]
    )


def _wall(row: Any) -> Wall:
    return Wall(
        row["name"],
        msgspec.convert(row["tiles"], list[WallTile]),
        row["locked"],
        row["changed_by"],
        row["changed"],
        row["version"],
    )
