"""Compartments: who is outside cannot learn that a row exists; Python and the database agree."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from vigie.core.database import Database, scope_policy
from vigie.core.scope import EVERYTHING, PLATFORM, Grant, Principal, Scope, scope_key, scope_of

OPENS = {"police": ("police",), "crisis": ("police", "crisis")}
ANNE = Principal(None, "anne", "user")
ROWS = [
    (m, t, c)
    for m in ("21231", "21166")
    for t in ("lighting", "video")
    for c in ("", "police", "crisis")
]
SCOPES = {
    "nothing": scope_of(()),
    "administrator": scope_of([Grant("administrator")], OPENS),
    "police": scope_of([Grant("police")], OPENS),
    "police of a municipality": scope_of([Grant("police", "21231")], OPENS),
    "police of a trade": scope_of([Grant("police", "*", "video")], OPENS),
    "police of a pair": scope_of([Grant("police", "21231", "video")], OPENS),
    # In Talant an operator only: what the police write there stays closed.
    "police here, operator there": scope_of(
        [Grant("police", "21231"), Grant("operator", "21166")], OPENS
    ),
    "administrator and police here": scope_of(
        [Grant("administrator"), Grant("police", "21231")], OPENS
    ),
    "crisis": scope_of([Grant("crisis")], OPENS),
    "platform": PLATFORM,
}


@pytest.fixture(scope="module")
async def trial(owner: psycopg.AsyncConnection) -> None:
    await owner.execute(
        "create table trial_row (id int generated always as identity primary key, municipality text"
        " not null, trade text not null, compartment text not null default '')"
    )
    await owner.execute(scope_policy("trial_row", compartment="compartment"))
    await owner.execute("grant select, insert, update, delete on trial_row to vigie_runtime")
    async with owner.cursor() as cursor:
        await cursor.executemany(
            "insert into trial_row (municipality, trade, compartment) values (%s, %s, %s)", ROWS
        )


@pytest.mark.parametrize("name", SCOPES)
async def test_a_row_is_seen_in_its_place_and_its_open_compartment(database, trial, name):
    scope = SCOPES[name]
    async with database.unit(ANNE, scope) as unit:
        found = await unit.execute(text("select municipality, trade, compartment from trial_row"))
        seen = {tuple(row) for row in found}
    assert seen == {row for row in ROWS if scope.sees(*row)}


@pytest.mark.parametrize("name", SCOPES)
async def test_the_journals_keys_say_the_same_in_python_and_in_the_database(database, name):
    scope = SCOPES[name]
    keys = [scope_key(*row) for row in ROWS]
    keys += [scope_key("21231", "video", "police", "crisis"), scope_key("", "", "police"), "/"]
    async with database.unit(ANNE, scope) as unit:
        for key in keys:
            held = await unit.execute(text("select journal.in_scope(array[:key])"), {"key": key})
            assert held.scalar_one() is scope.holds(key), key


def test_what_each_scope_sees_of_the_police():
    secret = [row for row in ROWS if row[2] == "police"]
    seen = {name: sum(scope.sees(*row) for row in secret) for name, scope in SCOPES.items()}
    assert seen == {
        "nothing": 0,
        "administrator": 0,
        "police": 4,
        "police of a municipality": 2,
        "police of a trade": 2,
        "police of a pair": 1,
        "police here, operator there": 2,
        "administrator and police here": 2,
        "crisis": 4,
        "platform": 4,
    }


async def test_who_is_outside_cannot_count_touch_or_hide_a_row(database: Database, trial):
    async with database.unit(ANNE, EVERYTHING) as unit:
        for statement in (
            "select count(*) from trial_row where compartment <> ''",
            "select count(*) from trial_row where compartment = 'police'",
        ):
            assert (await unit.execute(text(statement))).scalar_one() == 0
        changed = await unit.execute(text("update trial_row set trade = 'x' where id is not null"))
        assert changed.rowcount == 4
        gone = await unit.execute(text("delete from trial_row where compartment = 'police'"))
        assert gone.rowcount == 0
        await unit.connection.rollback()
    # Nor write into it, nor move a row of theirs out of their own sight.
    for statement in (
        "insert into trial_row (municipality, trade, compartment) values ('21231', 'x', 'police')",
        "update trial_row set compartment = 'police' where compartment = ''",
    ):
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with database.unit(ANNE, EVERYTHING) as unit:
                await unit.execute(text(statement))


names = st.sampled_from(["21231", "21166", "*"])
trades = st.sampled_from(["lighting", "video", "*"])


@given(
    st.lists(st.builds(Grant, st.sampled_from(["police", "crisis", "viewer"]), names, trades)),
    st.sampled_from(ROWS),
)
def test_a_compartment_is_open_where_its_role_is_and_nowhere_else(grants, row):
    municipality, trade, compartment = row
    holding = [
        g for g in grants
        if g.municipality in ("*", municipality) and g.trade in ("*", trade)
    ]  # fmt: skip
    expected = bool(holding) and (
        not compartment or any(compartment in OPENS.get(g.role, ()) for g in holding)
    )
    assert scope_of(grants, OPENS).sees(*row) is expected


def test_without_compartments_nothing_is_opened():
    assert scope_of([Grant("police")]) == EVERYTHING
    assert not Scope(everything=True).opens("police", "21231", "video")
