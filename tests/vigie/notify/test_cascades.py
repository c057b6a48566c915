"""Calls go on until someone answers, in the console or by the link in the message."""

import contextlib
import re
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from tests.support.jobs import drain
from tests.support.providers import mail_server
from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import account, client, person
from vigie.app import every_room
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound
from vigie.core.permissions import Permission
from vigie.core.rooms import Room, Rooms
from vigie.core.runtime import Runtime
from vigie.core.scope import Grant, Principal, scope_of
from vigie.core.verbs import Verb
from vigie.core.web import build_app
from vigie.notify import CallStep, NewCascade, OnCall, answering, cascades, contacts, start
from vigie.notify.answering import Limiter
from vigie.notify.model import ContactInput, Preferences

WHY = {"reason": "Armoire ouverte, rue Verte"}
ON_CALL: list[Any] = []


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the duty room's verb takes it."""

    function: str


class Answer(msgspec.Struct, frozen=True):
    """As the duty room's verb answers."""

    people: list[Any]


async def on_call(_unit, asked: Ask) -> list[Answer]:
    return [Answer(ON_CALL)] if asked.function == "lighting" else []


VERBS = (Verb("duty.on_call", Ask, list[Answer], "duty.read", "Who is on call.", on_call),)
DUTY = Room(
    name="trial",
    floor="trade",
    permissions=(Permission("duty.read", "", ("administrator",)),),
    verbs=f"{__name__}:VERBS",
)

WITHOUT = [room for room in every_room() if room.name != "duty"]


@pytest.fixture(scope="module")
def box():
    with mail_server() as made:
        yield made


@pytest.fixture
async def house(settings, database, bus, box, owner):
    box.mails.clear()
    box.answer = "250 OK"
    answering._LIMITER = Limiter()
    await owner.execute("truncate core.job, notify.contact, notify.message, notify.cascade cascade")
    made = msgspec.structs.replace(
        settings,
        smtp_url=box.url,
        mail_from="vigie@dijon.example",
        public_url="https://vigie.dijon.example",
    )
    return Runtime(made, "test", database, bus, Rooms([*WITHOUT, DUTY]))


async def someone(house, name: str) -> UUID:
    async with house.database.unit() as unit:
        return (await contacts.create(unit, ContactInput(name, mail=f"{name}@b.example"))).id


async def call(house, *steps: CallStep, **more) -> UUID:
    async with house.database.unit() as unit:
        new = NewCascade("notify.call", list(steps), WHY, **more)
        return (await start(unit, new)).id


async def wait_over(owner) -> None:
    """As if the step's wait had passed."""
    await owner.execute("update core.job set due = now() where state = 'waiting'")


async def seen(house, cascade):
    async with house.database.unit() as unit:
        return await cascades.read_cascade(unit, cascade)


async def acts(house, cascade) -> list[str]:
    async with house.database.unit() as unit:
        found = await unit.execute(
            text("select act from journal.entry where params->>'cascade' = :id order by recorded"),
            {"id": str(cascade)},
        )
        return list(found.scalars())


async def test_the_next_is_called_only_when_nobody_answered_in_time(house, box, owner):
    first, second = await someone(house, "anne"), await someone(house, "bob")
    cascade = await call(house, CallStep(contact=first), CallStep(contact=second))
    await drain(house)
    assert [m["To"] for m in box.mails] == ["anne <anne@b.example>"]
    assert (
        "https://vigie.dijon.example/api/v1/notify/acknowledge?token=" in box.mails[0].get_content()
    )
    await wait_over(owner)
    await drain(house)
    assert [m["To"] for m in box.mails][1:] == ["bob <bob@b.example>"]
    async with house.database.unit() as unit:
        done = await cascades.acknowledge(unit, cascade, second)
    assert (done.state, done.acknowledged_by) == ("acknowledged", "bob")
    await wait_over(owner)
    await drain(house)
    assert len(box.mails) == 2
    assert await acts(house, cascade) == [
        "notify.cascade_started",
        "notify.cascade_stepped",
        "notify.cascade_stepped",
        "notify.cascade_acknowledged",
    ]


async def test_a_cascade_that_nobody_answers_ends_as_exhausted_and_may_be_answered_late(
    house, owner
):
    first = await someone(house, "anne")
    cascade = await call(house, CallStep(contact=first))
    await drain(house)
    await wait_over(owner)
    await drain(house)
    assert (await seen(house, cascade)).cascade.state == "exhausted"
    assert "notify.cascade_exhausted" in await acts(house, cascade)
    async with house.database.unit() as unit:
        assert (await cascades.acknowledge(unit, cascade, first)).state == "acknowledged"


async def test_who_is_on_duty_is_called_and_nobody_on_duty_is_not_waited_for(house, box):
    anne = await someone(house, "anne")
    ON_CALL[:] = [OnCall(contact=anne)]
    cascade = await call(house, CallStep(role="traffic"), CallStep(role="lighting"))
    await drain(house)
    assert len(box.mails) == 1
    outcomes = [(s.outcome, s.reached) for s in (await seen(house, cascade)).steps]
    assert outcomes == [("nobody", 0), ("called", 1)]


async def test_a_member_without_an_account_is_called_by_their_number(house, box):
    from vigie.duty.model import Member

    member = Member(UUID(int=7), None, "Standby", "06 12 34 56 78", True)
    lost = Member(UUID(int=8), None, "Lost", "ask at the gate", True)
    ON_CALL[:] = [lost, member]
    cascade = await call(house, CallStep(role="lighting"))
    await drain(house)
    (step,) = (await seen(house, cascade)).steps
    assert step.reached == 1
    async with house.database.unit() as unit:
        found = await unit.execute(
            text(
                "select c.name, c.phone from notify.message m join notify.contact c"
                " on c.id = m.contact where m.cascade = :cascade"
            ),
            {"cascade": cascade},
        )
        assert [tuple(row) for row in found] == [("Standby", "+33612345678")]


async def test_without_a_duty_room_a_role_is_nobody(house, box):
    alone = Runtime(house.settings, "test", house.database, house.bus, Rooms(WITHOUT))
    cascade = await call(alone, CallStep(role="lighting"))
    await drain(alone)
    assert (await seen(alone, cascade)).cascade.state == "exhausted"
    assert box.mails == []


async def test_a_step_whose_calls_all_fail_is_not_waited_for(house, box):
    lost = await someone(house, "lost")
    async with house.database.unit() as unit:
        await contacts.set_preferences(unit, lost, Preferences())
    anne = await someone(house, "anne")
    cascade = await call(house, CallStep(contact=lost, channel="mail"), CallStep(contact=anne))
    await drain(house)
    assert [m["To"] for m in box.mails] == ["anne <anne@b.example>"]
    assert (await seen(house, cascade)).cascade.current == 1


async def test_a_step_runs_once_however_often_it_is_asked_for(house, box, owner):
    anne = await someone(house, "anne")
    cascade = await call(house, CallStep(contact=anne), CallStep(contact=anne))
    await drain(house)
    async with house.database.unit() as unit:
        for ordinal in (0, 0, 2):
            await cascades.run_step(unit, cascades.StepJob(cascade, ordinal))
    await drain(house)
    assert len(box.mails) == 1


async def test_a_cascade_that_is_stopped_calls_nobody_else(house, box, owner):
    anne = await someone(house, "anne")
    cascade = await call(house, CallStep(contact=anne), CallStep(contact=anne))
    async with house.database.unit() as unit:
        await cascades.cancel(unit, cascade)
        with pytest.raises(Conflict):
            await cascades.acknowledge(unit, cascade, anne)
    await drain(house)
    assert box.mails == []


async def test_wrong_cascades_are_refused_and_the_same_key_is_the_same_one(house):
    nobody = UUID("00000000-0000-7000-8000-000000000000")
    for step, kind in (
        (CallStep(), Invalid),
        (CallStep(contact=nobody, role="x"), Invalid),
        (CallStep(contact=nobody), NotFound),
        (CallStep(account=nobody), NotFound),
    ):
        with pytest.raises(kind):
            await call(house, step)
    anne = CallStep(contact=await someone(house, "anne"))
    assert await call(house, anne, key="k") == await call(house, anne, key="k")
    part = Principal(None, "p", "user", (Grant("operator", "21231"),))
    with pytest.raises(Forbidden):
        async with house.database.unit(part, scope_of(part.grants)) as unit:
            await start(unit, NewCascade("notify.call", [anne], WHY))


async def test_the_link_asks_first_and_the_first_answer_counts(house, box):
    app = build_app(house, ROUTES, PERMISSIONS, ROLES)
    anne, bob = await someone(house, "anne"), await someone(house, "bob")
    ON_CALL[:] = [OnCall(contact=anne), OnCall(contact=bob)]
    cascade = await call(house, CallStep(role="lighting"))
    await drain(house)
    links = {
        m["To"].addresses[0].username: re.search(r"/api/v1\S+", m.get_content())[0]
        for m in box.mails
    }
    async with client(app) as browser:
        asked = await browser.get(links["anne"])
        assert asked.headers["content-type"].startswith("text/html")
        assert asked.headers["referrer-policy"] == "same-origin"
        assert "Armoire ouverte" in asked.text
        assert "<form" in asked.text
        assert (await seen(house, cascade)).cascade.state == "running"
        done = await browser.post(links["anne"], headers={"Origin": str(browser.base_url)})
        assert (done.status_code, "Merci" in done.text) == (200, True)
        late = await browser.post(links["bob"])
        assert "déjà été pris en charge par anne" in late.text
        again = await browser.get(links["anne"])
        assert "<form" not in again.text
        forged = await browser.post(links["anne"][:-3] + "abc")
        assert (forged.status_code, "valable" in forged.text) == (404, True)
    assert (await seen(house, cascade)).cascade.acknowledged_by == "anne"
    assert (await acts(house, cascade))[-1] == "notify.cascade_acknowledged"


async def test_who_tries_links_is_stopped(house):
    app = build_app(house, ROUTES, PERMISSIONS, ROLES)
    async with client(app) as browser:
        codes = [
            (await browser.post("/api/v1/notify/acknowledge?token=x")).status_code
            for _ in range(25)
        ]
    assert codes == [404] * 20 + [429] * 5


def test_the_limiter_forgets_the_oldest_and_takes_a_network_as_one():
    limiter = Limiter(1, networks=2)
    assert limiter.allows("2001:db8::1")
    assert not limiter.allows("2001:db8::2")
    assert limiter.allows("10.0.0.1")
    assert limiter.allows("10.0.0.2")
    assert limiter.allows("2001:db8::3")


async def test_one_looks_after_ones_own_preferences_and_messages(house, box):
    app = build_app(house, ROUTES, PERMISSIONS, ROLES)
    browser = await person(app, house, "anne-op", "operator@21231")
    async with contextlib.aclosing(browser):
        wanted = {"language": "en", "mail": "anne@b.example", "quiet_from": "22:00:00",
                  "quiet_to": "07:00:00", "channels": {"notify.note": "app"}}  # fmt: skip
        answer = await browser.put("/api/v1/notify/preferences", json=wanted)
        assert answer.status_code == 200, answer.text
        own = (await browser.get("/api/v1/notify/preferences")).json()
        assert own["preferences"] == {**wanted, "phone": None}
        assert own["channels"] == ["mail", "app", "hand"]
        await account(house.database, "bob-op", "operator@21231")
        async with house.database.unit() as unit:
            found = await unit.execute(
                text("select id, username from access.account where username like '%-op'")
            )
            ids = {row.username: str(row.id) for row in found}
        to = [{"account": ids["anne-op"]}, {"account": ids["bob-op"]}]
        new = {"to": to, "template": "notify.note", "params": {"subject": "a", "text": "b"}}
        refused = await browser.post("/api/v1/notify/messages", json=new)
        assert refused.json()["code"] == "message_outside_scope"
        new["municipality"] = "21231"
        sent = await browser.post("/api/v1/notify/messages", json=new)
        assert sent.status_code == 201, sent.text
        (mine,) = (await browser.get("/api/v1/notify/mine")).json()
        assert (mine["subject"], mine["read"]) == ("a", None)
        first, other = sent.json()["messages"]
        address = "/api/v1/notify/mine/{}/read"
        assert (await browser.post(address.format(other))).status_code == 404
        assert (await browser.post(address.format(first))).status_code == 204
        (mine,) = (await browser.get("/api/v1/notify/mine")).json()
        assert mine["read"] is not None
        (listed, _) = (await browser.get("/api/v1/notify/messages?filter=channel:app")).json()[
            "items"
        ]
        assert listed["state"] in ("sent", "delivered")
        assert (await browser.get("/api/v1/notify/contacts")).status_code == 403
