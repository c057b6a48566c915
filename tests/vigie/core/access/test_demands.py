"""A fresh login and a second person: who, what, once, and not for long."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.support.web import account
from vigie.core import clock
from vigie.core.access import approvals, demands
from vigie.core.access.approvals import NewApproval
from vigie.core.access.demands import Act, demand_fresh, demand_second
from vigie.core.access.model import NOBODY
from vigie.core.errors import Conflict, Forbidden, NotFound
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM, Grant, Principal

READ = "core.system"


def someone(**fresh) -> Principal:
    at = clock.now() - timedelta(**fresh) if fresh else None
    return Principal(None, "x", "user", fresh=at)


def test_a_fresh_login_is_of_the_last_minutes():
    demand_fresh(someone(minutes=4))
    demand_fresh(someone(minutes=9), timedelta(minutes=10))
    demand_fresh(SYSTEM)
    for who in (someone(minutes=6), someone(), NOBODY, Principal(None, "t", "token"),
                Principal(None, "r", "rule")):  # fmt: skip
        with pytest.raises(Forbidden) as refused:
            demand_fresh(who)
        assert refused.value.code == "fresh_login_needed"


class People:
    """Three people of this module, as principals."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.all: dict[str, Principal] = {}

    async def one(self, name: str, *grants: Grant) -> Principal:
        if name not in self.all:
            await account(self.runtime.database, name)
            async with self.runtime.database.unit() as unit:
                found = await unit.execute(
                    text("select id from access.account where username = :name"), {"name": name}
                )
                self.all[name] = Principal(found.scalar_one(), name, "user", grants)
        return self.all[name]


@pytest.fixture(scope="module")
def people(runtime: Runtime) -> People:
    return People(runtime)


def act(**changes) -> Act:
    base = Act("logbook.close", ("logbook.shift", "7"), {"b": 1, "a": 2}, READ, "21231", "lighting")
    return Act(**{**{f: getattr(base, f) for f in base.__struct_fields__}, **changes})


def asked(one: Act) -> NewApproval:
    return NewApproval(
        one.name, one.subject[0], one.subject[1], one.params, one.permission, one.municipality,
        one.trade, one.compartment, "because",
    )  # fmt: skip


async def do(runtime, who: Principal, one: Act) -> None:
    async with runtime.database.unit(who) as unit:
        await demand_second(unit, one)


async def ask(runtime, who: Principal, one: Act):
    async with runtime.database.unit(who) as unit:
        return await approvals.ask(unit, runtime.house.catalogue, asked(one))


async def decide(runtime, who: Principal, approval, decision: str = "approved"):
    async with runtime.database.unit(who) as unit:
        return await approvals.decide(unit, runtime.house.catalogue, approval.id, decision)


def test_the_digest_is_of_everything_but_the_order():
    assert act().digest == act(params={"a": 2, "b": 1}).digest
    different = [
        act(name="logbook.open"), act(subject=("logbook.shift", "8")), act(params={"a": 2}),
        act(permission="core.link"), act(municipality="21166"), act(trade="water"),
        act(compartment="police"),
    ]  # fmt: skip
    assert len({one.digest for one in (act(), *different)}) == len(different) + 1


async def test_an_act_is_done_once_after_somebody_else_approved(runtime, people):
    anne = await people.one("ap-anne", Grant("operator"))
    bruno = await people.one("ap-bruno", Grant("operator", "21231"))
    chloe = await people.one("ap-chloe", Grant("operator", "21166"))
    one = act()
    with pytest.raises(Forbidden) as refused:
        await do(runtime, anne, one)
    assert refused.value.code == "second_person_needed"
    assert NewApproval(**refused.value.params).described() == one

    request = await ask(runtime, anne, one)
    assert (await ask(runtime, anne, one)).id == request.id, "asked twice is asked once"
    with pytest.raises(Forbidden):
        await do(runtime, anne, one)
    with pytest.raises(Forbidden) as own:
        await decide(runtime, anne, request)
    assert own.value.code == "second_person_is_first"
    # Who holds it elsewhere neither sees nor decides it.
    with pytest.raises(NotFound):
        await decide(runtime, chloe, request)
    async with runtime.database.unit(chloe) as unit:
        assert await approvals.listed(unit, runtime.house.catalogue) == []
    async with runtime.database.unit(bruno) as unit:
        (seen,) = await approvals.listed(unit, runtime.house.catalogue)
    assert (seen.id, seen.params, seen.reason) == (request.id, {"a": 2, "b": 1}, "because")

    await decide(runtime, bruno, request)
    with pytest.raises(Forbidden):
        await do(runtime, bruno, one)
    with pytest.raises(Forbidden):
        await do(runtime, anne, act(params={"b": 1, "a": 3}))
    # What fails afterwards does not use it up.
    with pytest.raises(ZeroDivisionError):
        async with runtime.database.unit(anne) as unit:
            await demand_second(unit, one)
            raise ZeroDivisionError
    await do(runtime, anne, one)
    with pytest.raises(Forbidden):
        await do(runtime, anne, one)
    with pytest.raises(Conflict):
        await decide(runtime, bruno, request, "refused")


async def test_refused_withdrawn_and_old_ones_open_nothing(runtime, people):
    anne = await people.one("ap-anne")
    bruno = await people.one("ap-bruno")
    for number, (who, decision) in enumerate([(bruno, "refused"), (anne, "withdrawn")]):
        one = act(subject=("logbook.shift", f"over-{number}"))
        request = await ask(runtime, anne, one)
        await decide(runtime, who, request, decision)
        with pytest.raises(Forbidden):
            await do(runtime, anne, one)
        with pytest.raises(Conflict):
            await decide(runtime, bruno, request)
    one = act(subject=("logbook.shift", "old"))
    request = await ask(runtime, anne, one)
    await decide(runtime, bruno, request)
    async with runtime.database.unit() as unit:
        await unit.execute(
            text("update access.approval set expires = :now where id = :id"),
            {"now": clock.now(), "id": request.id},
        )
    with pytest.raises(Forbidden):
        await do(runtime, anne, one)


async def test_nobody_asks_for_what_they_may_not_do(runtime, people):
    bruno = await people.one("ap-bruno")
    for one in (act(municipality="21166"), act(permission="access.manage"),
                act(compartment="police"), act(municipality="", trade="")):  # fmt: skip
        with pytest.raises(Forbidden):
            await ask(runtime, bruno, one)


async def test_what_one_person_may_have_waiting_is_bounded(runtime, people):
    anne = await people.one("ap-anne")
    with pytest.raises(Conflict) as refused:
        for number in range(approvals.MOST_WAITING + 1):
            await ask(runtime, anne, act(subject=("logbook.shift", f"many-{number}")))
    assert refused.value.code == "too_many_approvals"


async def test_the_platform_asks_nobody(runtime):
    async with runtime.database.unit() as unit:
        await demands.demand_second(unit, act())
