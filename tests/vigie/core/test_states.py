"""Tables of states: total, read from a grid, and stepped through under a lock."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text

from vigie.core import clock
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from vigie.core.ids import uuid7
from vigie.core.scope import Grant, Principal
from vigie.core.states import Demand, Machine, demand_version, step, version

SHIFT = Machine(
    "trial.shift",
    """
                hand_over   take     close
    open        handed      -        closed
    handed      .           open     -
    closed      -           -        .
    """,
    demands={"close": Demand(reason=True)},
)
TABLE = Table(
    "shift", MetaData(), Column("id", Integer), Column("state", Text), Column("version", Integer)
)


@given(st.sampled_from(SHIFT.states), st.sampled_from(SHIFT.verbs))
def test_every_verb_in_every_state_is_a_step_a_repeat_or_a_refusal(state, verb):
    if SHIFT.table[state, verb] == "-":
        with pytest.raises(Conflict) as refused:
            SHIFT.after(state, verb)
        assert refused.value.params["possible"] == list(SHIFT.verbs_from(state))
        assert verb not in SHIFT.verbs_from(state)
    else:
        after = SHIFT.after(state, verb)
        assert after in SHIFT.states
        assert (after != state) == (verb in SHIFT.verbs_from(state))


@pytest.mark.parametrize(
    ("grid", "fault"),
    [
        ("a b\nx x", "1 of 2 cells"),
        ("a\nx y", "leads to no state"),
        ("a a\nx x x", "named twice"),
        ("a\nx x\nx x", "named twice"),
    ],
)
def test_a_faulty_grid_is_a_fault_of_the_code(grid, fault):
    with pytest.raises(ValueError, match=fault):
        Machine("trial", grid)


def test_a_demand_for_no_verb_is_a_fault_of_the_code():
    with pytest.raises(ValueError, match="no verb"):
        Machine("trial", "a\nx x", {"b": Demand()})


def test_the_drawing_is_the_table():
    drawn = SHIFT.diagram()
    assert "open --> handed: hand_over" in drawn
    assert "closed --> [*]" in drawn
    assert SHIFT.initial == "open"
    assert SHIFT.ends == {"closed"}


@pytest.mark.parametrize(
    ("tag", "found"), [(None, None), ("*", None), ('"3"', 3), ('W/"12"', 12), ("7", 7)]
)
def test_if_match_names_a_version(tag, found):
    assert version(tag) == found


@pytest.mark.parametrize("tag", ['"x"', "", '"-1"', '"99999999999"', '"٣"'])
def test_a_tag_that_was_never_given_matches_nothing(tag):
    with pytest.raises(PreconditionFailed):
        version(tag)


def test_another_version_is_refused():
    demand_version(3, None)
    demand_version(3, 3)
    with pytest.raises(PreconditionFailed):
        demand_version(3, 2)


@pytest.fixture
async def shift(owner):
    await owner.execute(
        """
        drop table if exists shift;
        create table shift (id int primary key, state text not null, version int not null,
                            note text);
        insert into shift values (1, 'open', 1);
        grant select, update on shift to vigie_runtime;
        """
    )


async def test_a_step_locks_checks_and_moves(database, shift):
    async with database.unit() as unit:
        taken = await step(unit, SHIFT, TABLE, 1, "hand_over", version=1, sets={"note": "n"})
        assert (taken.before, taken.after, taken.version, taken.changed) == (
            "open", "handed", 2, True,
        )  # fmt: skip
        again = await step(unit, SHIFT, TABLE, 1, "hand_over", version=2)
        assert (again.changed, again.version) == (False, 2)
    async with database.unit() as unit:
        with pytest.raises(PreconditionFailed):
            await step(unit, SHIFT, TABLE, 1, "take", version=1)
        with pytest.raises(Conflict, match="possible now are take"):
            await step(unit, SHIFT, TABLE, 1, "close", reason="r")
        with pytest.raises(NotFound):
            await step(unit, SHIFT, TABLE, 9, "close", reason="r")
        with pytest.raises(Invalid, match="no step"):
            await step(unit, SHIFT, TABLE, 1, "burn")
        await step(unit, SHIFT, TABLE, 1, "take")
        with pytest.raises(Invalid, match="reason"):
            await step(unit, SHIFT, TABLE, 1, "close", reason="  ")


async def test_of_two_who_act_on_the_same_version_one_is_told(database, shift):
    async def close():
        async with database.unit() as unit:
            await step(unit, SHIFT, TABLE, 1, "close", version=1, reason="end of shift")

    ended = await asyncio.gather(close(), close(), return_exceptions=True)
    assert sorted(type(e).__name__ for e in ended) == ["NoneType", "PreconditionFailed"]


def test_a_second_person_holds_some_permission():
    with pytest.raises(ValueError, match="second person"):
        Machine("m", "go\na b\nb .", {"go": Demand(second_person=True)})


GUARDED = Machine(
    "trial.shift",
    """
            close
    open    closed
    closed  .
    """,
    {"close": Demand(permission="core.link", fresh_login=True, second_person=True)},
)


async def test_a_step_asks_for_permission_fresh_login_and_a_second_person(runtime, shift):
    async def take(who: Principal) -> None:
        async with runtime.database.unit(who) as unit:
            await step(unit, GUARDED, TABLE, 1, "close")

    stale = Principal(uuid7(), "anne", "user", (Grant("operator"),))
    fresh = msgspec.structs.replace(stale, fresh=clock.now())
    for who, code in [
        (msgspec.structs.replace(fresh, grants=(Grant("viewer"),)), "not_permitted"),
        (stale, "fresh_login_needed"),
        (fresh, "second_person_needed"),
    ]:
        with pytest.raises(Forbidden) as refused:
            await take(who)
        assert refused.value.code == code
    assert refused.value.params["act"] == "trial.shift.close"
