"""The search over every object: what is put is found, by who may see it, and by nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from vigie.core import search
from vigie.core.access import ANY_LOGIN
from vigie.core.house import House
from vigie.core.objects import ObjectType
from vigie.core.permissions import Permission, Role
from vigie.core.rooms import Room, Rooms
from vigie.core.scope import EVERYTHING, Grant, Principal, Scope
from vigie.core.search import Entry, Hit, Source, finding, rules

AT = datetime(2026, 11, 23, tzinfo=UTC)
EVERYONE = Principal(None, "a", "user", (Grant("scribe"), Grant("viewer")))
# Reads notes of Dijon and letters of Chenôve.
SOME = Principal(None, "s", "user", (Grant("scribe", "21231"), Grant("viewer", "21166")))
NOBODY = Principal(None, "n", "user", (Grant("auditor"),))


async def nothing(unit, ids):
    return {}


async def places(unit, query, limit):
    return [Hit("street", "1", "Rue Foch")] if "foch" in query.lower() else []


async def private(unit, query, limit):
    return [Hit("thing", 1, f"{sorted(unit.scope.municipalities)}")]


OBJECTS = (
    ObjectType("low.note", "low.note", nothing, "/notes/{id}"),
    ObjectType("low.letter", "low.letter", nothing),
)
SOURCES = (
    Source("low.place", ANY_LOGIN, places),
    Source("low.private", "low.note", private),
)
ROOM = Room(
    name="low",
    floor="base",
    permissions=(
        Permission("low.note", "", ("scribe",)),
        Permission("low.letter", "", ("viewer",)),
    ),
    roles=(Role("scribe", ""),),
    objects=f"{__name__}:OBJECTS",
)
WITH_SOURCES = Room(
    name="low", floor="base", permissions=ROOM.permissions, roles=ROOM.roles,
    objects=ROOM.objects, search=f"{__name__}:SOURCES",
)  # fmt: skip


@pytest.fixture
async def house(database, owner):
    await owner.execute("truncate core.found, core.found_word")
    database.house = House(Rooms([ROOM]))
    return database


def note(id_, title, **parts):
    return Entry(**({"type": "low.note", "municipality": "21231", "trade": "x", "id": id_,
                     "title": title} | parts))  # fmt: skip


async def put(database, *entries):
    async with database.unit() as unit:
        await search.put_many(unit, entries)


async def ids(database, query, principal=EVERYONE, limit=10):
    async with database.unit(principal, Scope()) as unit:
        found = await search.find(unit, query, limit)
    return [f"{item.type.partition('.')[2]} {item.id}" for item in found.items]


async def test_an_object_is_found_by_the_start_of_any_words_however_they_are_typed(house):
    await put(house, note("1", "Lampe éteinte", subtitle="Foch", words=("av. du Mal Foch",)))
    for query in ("lampe", "LAMP", "eteinte lam", "avenue foch", "Av Foch", "marechal", "mal"):
        assert await ids(house, query) == ["note 1"], query
    for query in ("ampe", "lampe rouge", "", " ", "\0", "%", "_", "\\", "'; drop", "é" * 300):
        assert await ids(house, query) == [], query


async def test_whole_ids_and_numbers_come_first(house):
    await put(
        house,
        note("f-9", "Sans rapport", number="2026-000123"),
        note("2026", "Sans rapport"),
        *(note(f"n{n}", "2026 000123 et plus") for n in range(5)),
    )
    assert (await ids(house, "2026-000123"))[0] == "note f-9"
    assert (await ids(house, "2026"))[0] == "note 2026"
    assert await ids(house, "F-9") == ["note f-9"]


async def test_the_best_comes_first(house):
    await put(
        house,
        note("old", "Panne de feu", at=AT),
        note("other", "Autre panneau, panne"),
        note("new", "Panne de feu", at=AT + timedelta(days=1)),
        note("exact", "Panne"),
        note("high", "Panneau", rank=100),
    )
    assert await ids(house, "panne") == [
        "note high", "note exact", "note new", "note old", "note other",
    ]  # fmt: skip


async def test_each_type_is_seen_by_its_own_permission_and_scope(house):
    await put(
        house,
        note("1", "Lampe"),
        note("2", "Lampe", municipality="21166"),
        note("3", "Lampe", type="low.letter"),
        note("4", "Lampe", type="low.letter", municipality="21166"),
        note("5", "Lampe", type="attic.thing"),
    )
    assert sorted(await ids(house, "lampe")) == ["letter 3", "letter 4", "note 1", "note 2"]
    for query in ("lampe", "lam", "lampe l"):
        assert sorted(await ids(house, query, SOME)) == ["letter 4", "note 1"]
    assert await ids(house, "2", SOME) == []
    assert await ids(house, "4", SOME) == ["letter 4"]
    assert await ids(house, "lampe", NOBODY) == []


async def test_what_is_in_a_compartment_is_not_found_without_it(house, owner):
    await put(house, note("1", "Lampe"), note("2", "Lampe"))
    assert sorted(await ids(house, "lampe")) == ["note 1", "note 2"]
    await owner.execute("update core.found set compartment = 'police' where id = '1'")
    await owner.execute(
        "update core.found_word w set compartment = f.compartment"
        " from core.found f where f.object = w.object"
    )
    assert await ids(house, "lampe") == ["note 2"]
    assert await ids(house, "1") == []


async def test_an_object_that_changes_is_found_as_it_is_now(house, owner):
    await put(house, note("1", "Lampe cassée"))
    await put(house, note("1", "Lampe réparée", municipality="21166"))
    assert await ids(house, "cassee") == []
    assert await ids(house, "reparee") == ["note 1"]
    assert await ids(house, "lampe", SOME) == []
    async with house.unit() as unit:
        await search.drop(unit, "low.note", "1")
        await search.drop(unit, "low.note", "none")
    assert await ids(house, "lampe") == []
    left = await owner.execute("select count(*) from core.found_word")
    assert (await left.fetchone())[0] == 0


async def test_two_who_put_the_same_object_leave_the_words_of_one(house, owner):
    titles = [f"mot{n}" for n in range(8)]
    await asyncio.gather(*(put(house, note("1", t), note("2", t), note("1", t)) for t in titles))
    rows = await owner.execute(
        "select f.text, string_agg(w.word, ' ') from core.found f"
        " join core.found_word w using (object) group by f.object"
    )
    kept = await rows.fetchall()
    assert len(kept) == 2
    assert all(line.strip() == words for line, words in kept)


async def test_what_rolls_back_is_not_found(house):
    async def fails():
        async with house.unit() as unit:
            await search.put(unit, "low.note", "1", title="Lampe")
            raise KeyError

    with pytest.raises(KeyError):
        await fails()
    assert await ids(house, "lampe") == []


async def test_long_and_odd_texts_are_kept_as_far_as_they_can_be(house):
    long = " ".join(f"mot{n}" for n in range(5000))
    await put(house, note("1", "x\0y" * 1000, words=(long, "z" * 10_000)))
    assert await ids(house, "mot3") == ["note 1"]
    assert await ids(house, "z" * 150) == []


@pytest.mark.parametrize("principal", [EVERYONE, SOME])
async def test_of_common_words_the_newest_are_found(house, monkeypatch, principal):
    monkeypatch.setattr(finding, "COMMON", 20)
    await put(
        house,
        *(note(f"{n:03}", f"Lampe rue {n % 3}") for n in range(100)),
        *(note(f"b{n}", "Lampes") for n in range(3)),
        *(note(f"c{n}", "Lampe", type="low.letter", municipality="21166") for n in range(2)),
    )
    found = await ids(house, "lampe", principal, limit=6)
    assert found == ["note 099", "note 098", "note 097", "note 096", "letter c1", "letter c0"]
    assert await ids(house, "rue lampe 2", principal, limit=2) == ["note 098", "note 095"]
    assert len(await ids(house, "lam", principal)) == 10


async def test_sources_answer_beside_objects_each_in_its_own_scope(house):
    house.house = House(Rooms([WITH_SOURCES]))
    await put(house, note("1", "Rue Foch"), note("foch", "Autre"))
    async with house.unit(SOME, Scope()) as unit:
        found = await search.find(unit, "foch", 10)
        assert unit.scope == Scope()
    assert [(f.group, f.label, f.address) for f in found.items] == [
        ("low.note", "Autre", "/notes/foch"),
        ("low.note", "Rue Foch", "/notes/1"),
        ("low.place", "Rue Foch", ""),
        ("low.private", "['21231']", ""),
    ]
    async with house.unit(NOBODY, EVERYTHING) as unit:
        found = await search.find(unit, "foch", 10)
    assert [f.group for f in found.items] == ["low.place"]


async def test_words_reach_their_index_under_the_policy(house):
    await put(house, *(note(f"{n}", f"mot{n}") for n in range(300)))
    async with house.unit(SOME, Scope(municipalities=frozenset({"21231"}))) as unit:
        await unit.execute(text("set local enable_seqscan = off"))
        for more in ("", " and municipality = '21231'"):
            plan = await unit.execute(
                text(
                    "explain select object from core.found_word where type = 'low.note'"
                    f" and word >= 'mot7' and word < 'mot7x'{more}"
                )
            )
            lines = "\n".join(plan.scalars())
            assert "Index Cond" in lines, lines
            assert "word >= 'mot7'" in lines, lines


@given(
    st.dictionaries(st.text(max_size=2), st.lists(st.integers(), max_size=9)), st.integers(0, 30)
)
def test_answers_share_the_room_there_is(groups, limit):
    shared = rules.share(groups, limit)
    count = sum(map(len, shared.values()))
    assert count == min(limit, sum(map(len, groups.values())))
    assert all(members == groups[name][: len(members)] for name, members in shared.items())
    assert list(shared) == [name for name in groups if name in shared]
    waiting = [name for name in groups if len(groups[name]) > len(shared.get(name, []))]
    if waiting:
        least = min(len(shared.get(name, [])) for name in waiting)
        assert all(len(members) <= least + 1 for members in shared.values())
