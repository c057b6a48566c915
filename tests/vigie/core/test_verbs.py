"""Verbs across rooms and links between their objects: with the caller's own rights, always."""

import msgspec
import pytest
from sqlalchemy import text

from vigie.core import links
from vigie.core.errors import Forbidden, Invalid, NotFound
from vigie.core.house import House
from vigie.core.journal import list_object
from vigie.core.objects import ObjectType, Ref, Title, titles
from vigie.core.permissions import Permission, Role
from vigie.core.rooms import Room, Rooms
from vigie.core.scope import Grant, Principal, scope_of
from vigie.core.verbs import Verb, call, may, within


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the verb of these tests takes."""

    text: str
    fail: bool = False


class Seen(msgspec.Struct, frozen=True):
    """The scope in which the verb ran."""

    municipalities: list[str]
    visible: list[str]


async def note(unit, params: Note) -> Seen:
    rows = await unit.execute(text("select name from trial order by name"))
    visible = list(rows.scalars())
    await unit.execute(text("insert into noted values (:t)"), {"t": params.text})
    if params.fail:
        raise Invalid("no", "No.")
    return Seen(sorted(unit.scope.municipalities), visible)


async def names(unit, ids):
    rows = await unit.execute(
        text("select name from trial where name = any(:ids)"), {"ids": list(ids)}
    )
    return {name: Title(f"the {name}", municipality=name, trade="x") for name in rows.scalars()}


VERBS = (Verb("low.note", Note, Seen, "low.act", "Notes.", note),)
OBJECTS = (ObjectType("low.thing", "low.read", names),)
ROOMS = Rooms(
    [
        Room(
            name="low",
            floor="base",
            permissions=(
                Permission("low.act", "", ("scribe",)),
                Permission("low.read", "", ("scribe", "viewer")),
            ),
            roles=(Role("scribe", ""),),
            verbs=f"{__name__}:VERBS",
            objects=f"{__name__}:OBJECTS",
        )
    ]
)
# A scribe of Dijon who sees Chenôve.
SCRIBE = Principal(None, "s", "user", (Grant("scribe", "21231"), Grant("viewer", "21166")))
VIEWER = Principal(None, "v", "user", (Grant("viewer", "21231"),))


@pytest.fixture(scope="module")
async def tables(owner, database):
    await owner.execute(
        """
        create table trial (name text primary key);
        insert into trial values ('21231'), ('21166'), ('21515');
        create table noted (text text);
        grant select on trial to vigie_runtime;
        grant select, insert on noted to vigie_runtime;
        """
    )
    from vigie.core.database import scope_policy

    await owner.execute(scope_policy("trial", "name", "''"))
    database.house = House(ROOMS)


def unit_of(database, principal):
    return database.unit(principal, scope_of(principal.grants))


async def test_a_verb_runs_in_the_scope_of_its_own_permission(database, tables):
    async with unit_of(database, SCRIBE) as unit:
        seen = await call(unit, "low.note", {"text": "a"})
        assert seen == Seen(["21231"], ["21231"])
        rows = await unit.execute(text("select name from trial order by name"))
        assert list(rows.scalars()) == ["21166", "21231"]
        assert unit.scope == scope_of(SCRIBE.grants)


async def test_a_verb_that_fails_leaves_the_caller_with_their_own_rights_and_nothing_done(
    database, tables
):
    async with unit_of(database, SCRIBE) as unit:
        with pytest.raises(Invalid):
            await call(unit, "low.note", Note("gone", fail=True))
        rows = await unit.execute(text("select name from trial order by name"))
        assert list(rows.scalars()) == ["21166", "21231"]
        assert unit.scope == scope_of(SCRIBE.grants)
        gone = await unit.execute(text("select count(*) from noted where text = 'gone'"))
        assert gone.scalar_one() == 0


async def test_a_statement_that_fails_inside_gives_the_rights_back_too(database, tables):
    async with unit_of(database, SCRIBE) as unit:
        scope = unit.house.catalogue.scope_for(SCRIBE, "low.act")
        with pytest.raises(Exception, match="nowhere"):
            async with within(unit, scope):
                await unit.execute(text("select * from nowhere"))
        rows = await unit.execute(text("select name from trial order by name"))
        assert list(rows.scalars()) == ["21166", "21231"]


async def test_who_may_not_and_what_is_not_are_refused(database, tables):
    async with unit_of(database, VIEWER) as unit:
        assert not may(unit, "low.note")
        assert not may(unit, "attic.note")
        with pytest.raises(Forbidden):
            await call(unit, "low.note", Note("a"))
        with pytest.raises(NotFound, match="switched off"):
            await call(unit, "attic.note", {})
    async with unit_of(database, SCRIBE) as unit:
        assert may(unit, "low.note")
        with pytest.raises(Invalid, match="unknown field"):
            await call(unit, "low.note", {"text": "a", "colour": 1})


async def test_links_are_made_and_seen_by_who_sees_both_ends(database, tables):
    dijon, chenove, quetigny = (Ref("low.thing", n) for n in ("21231", "21166", "21515"))
    async with unit_of(database, SCRIBE) as unit:
        made = await links.link(unit, dijon, chenove, "concerns")
        assert await links.link(unit, dijon, chenove, "concerns") == made
        (out,) = await links.of(unit, dijon)
        (back,) = await links.of(unit, chenove)
        assert (out.incoming, out.other, out.title.title) == (False, chenove, "the 21166")
        assert (back.incoming, back.other) == (True, dijon)
        for hidden in (quetigny, Ref("low.thing", "none"), Ref("attic.thing", "1")):
            with pytest.raises(NotFound):
                await links.link(unit, dijon, hidden, "concerns")
            with pytest.raises(NotFound):
                await links.of(unit, hidden)
        with pytest.raises(Invalid, match="itself"):
            await links.link(unit, dijon, dijon, "concerns")
        with pytest.raises(Invalid, match="is one of"):
            await links.link(unit, dijon, chenove, "likes")
    async with unit_of(database, VIEWER) as unit:
        assert await links.of(unit, dijon) == []
        with pytest.raises(NotFound):
            await links.unlink(unit, made)
    async with unit_of(database, SCRIBE) as unit:
        await links.unlink(unit, made)
        assert await links.of(unit, dijon) == []


async def test_the_journal_of_a_link_names_no_end_that_its_reader_may_not_see(database, tables):
    dijon, chenove = Ref("low.thing", "21231"), Ref("low.thing", "21166")
    async with unit_of(database, SCRIBE) as unit:
        await links.unlink(unit, await links.link(unit, dijon, chenove, "follows"))
    async with unit_of(database, VIEWER) as unit:
        entries = (await list_object(unit, dijon.type, dijon.id)).items
    acts = {entry.act: entry.changes for entry in entries}
    assert set(acts) >= {"core.linked", "core.unlinked"}
    for changes in acts.values():
        assert changes
        assert all(chenove.id not in f"{c.before} {c.after}" for c in changes)


async def test_an_object_cannot_gather_links_without_end(database, tables, monkeypatch):
    monkeypatch.setattr(links, "MOST_AN_OBJECT", 1)
    dijon, chenove = Ref("low.thing", "21231"), Ref("low.thing", "21166")
    async with unit_of(database, SCRIBE) as unit:
        await links.link(unit, dijon, chenove, "concerns")
        with pytest.raises(Exception, match="1 links already"):
            await links.link(unit, chenove, dijon, "follows")


async def test_titles_are_those_of_ones_own_scope(database, tables):
    refs = [Ref("low.thing", n) for n in ("21231", "21166", "21515")]
    async with unit_of(database, VIEWER) as unit:
        assert list(await titles(unit, refs)) == [refs[0]]


def test_two_verbs_of_one_name_are_a_fault():
    room = msgspec.structs.replace(ROOMS[0], name="high", permissions=(), roles=())
    with pytest.raises(ValueError, match="two verbs are named"):
        House(Rooms([ROOMS[0], room])).part("verbs")
