"""Teams and rotas over a real database: who is on call, who may see it, and what stays."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from icalendar import Calendar
from sqlalchemy import text

from tests.support.web import person
from vigie import places
from vigie.app import bind, every_room
from vigie.core import clock, links, search, verbs
from vigie.core.database import Database
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, TooMany
from vigie.core.house import House
from vigie.core.objects import Ref
from vigie.core.scope import EVERYTHING, Grant, Principal, Scope, scope_of
from vigie.core.web import build_app
from vigie.duty import personal, rota, teams
from vigie.duty.ical import calendar
from vigie.duty.model import (
    FunctionChange,
    HandOver,
    MemberChange,
    NewAbsence,
    NewFunction,
    NewMember,
    NewTeam,
    OnCallAt,
    TeamChange,
)
from vigie.duty.rules import WEEKDAYS, Pattern, Shift, Swap

ADMIN = Principal(None, "a", "user", (Grant("administrator"),))
DIJON = Principal(None, "d", "user", (Grant("operator", "21231"),))
TALANT = Principal(None, "t", "user", (Grant("operator", "21617"),))
HOUR = timedelta(hours=1)
FAR = datetime(2199, 1, 1, tzinfo=UTC)


class Desk:
    """One who does things in duty, each in a unit of its own."""

    def __init__(self, database, principal):
        self.database, self.principal = database, principal

    def __getattr__(self, name):
        verb = getattr(rota, name, None) or getattr(teams, name)

        async def call(*given):
            async with self.unit() as unit:
                return await verb(unit, *given)

        return call

    def unit(self):
        return self.database.unit(self.principal, scope_of(self.principal.grants))


@pytest.fixture(scope="module")
async def city(database: Database, runtime):
    async with database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    database.house = House(every_room())
    bind(runtime)
    return database


@pytest.fixture
async def night(city):
    """A team with two members, and a function that needs one of them."""
    desk = Desk(city, DIJON)
    team = await desk.create_team(NewTeam("Éclairage", "21231", "lighting"))
    first = await desk.add_member(team.id, NewMember(name="Anne", phone="+33 6 12"))
    second = await desk.add_member(team.id, NewMember(name="Bruno"))
    function = await desk.create_function(
        NewFunction(team.id, f"astreinte-{uuid4().hex[:6]}", "Astreinte éclairage")
    )
    return desk, team, first, second, function


async def names(desk, function, at):
    (found,) = await desk.on_call(OnCallAt(str(function.id), at))
    return [person.name for person in found.people], found.enough


async def test_who_is_on_call_is_what_the_rules_say(night):
    desk, _, anne, bruno, function = night
    now = clock.now()
    await desk.add_rule(function.id, Shift(anne.id, now - HOUR, now + 4 * HOUR))
    assert await names(desk, function, now) == (["Anne"], True)
    assert await names(desk, function, now - 2 * HOUR) == ([], False)
    swap = await desk.add_rule(function.id, Swap(anne.id, bruno.id, now + HOUR, now + 2 * HOUR))
    assert await names(desk, function, now + HOUR) == (["Bruno"], True)
    away = await desk.add_absence(bruno.id, NewAbsence(now + HOUR, now + 2 * HOUR))
    assert await names(desk, function, now + HOUR) == ([], False)
    await desk.end_absence(away.id)
    await desk.end_rule(swap.id)
    assert await names(desk, function, now + HOUR) == (["Anne"], True)
    with pytest.raises(Conflict):
        await desk.end_rule(swap.id)
    everyone = await desk.on_call(OnCallAt())
    assert function.id in [one.function.id for one in everyone]
    assert (await desk.on_call(OnCallAt(function.key)))[0].function == function


async def test_of_the_past_a_rota_never_says_anything_else(night):
    desk, _, anne, bruno, function = night
    nights = Pattern([anne.id, bruno.id], list(WEEKDAYS), "00:00", "00:00",
                     clock.now().date() - timedelta(days=20), days=1)  # fmt: skip
    before = clock.now()
    rule = await desk.add_rule(function.id, nights)
    assert await names(desk, function, before - HOUR) == ([], False)
    during = clock.now()
    on, _ = await names(desk, function, during)
    assert len(on) == 1
    await desk.end_rule(rule.id)
    assert await names(desk, function, clock.now()) == ([], False)
    assert await names(desk, function, during) == (on, True)
    with pytest.raises(Invalid, match="a day back"):
        await desk.add_rule(function.id, Shift(anne.id, before - 48 * HOUR, before))
    shift = await desk.add_rule(function.id, Shift(anne.id, before, before + 9 * HOUR))
    during = clock.now()
    await desk.change_member(anne.id, MemberChange(active=False))
    assert await names(desk, function, clock.now()) == ([], False)
    assert (await names(desk, function, during))[0] == ["Anne"]
    away = clock.now()
    await desk.change_member(anne.id, MemberChange(active=True))
    assert (await names(desk, function, clock.now()))[0] == ["Anne"]
    assert (await names(desk, function, away))[0] == []
    assert shift


async def test_gaps_and_overlaps_are_told_beforehand(night):
    desk, _, anne, bruno, function = night
    paris = ZoneInfo("Europe/Paris")
    start = (clock.now() + timedelta(days=30)).astimezone(paris)
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    at = [start.replace(hour=h).astimezone(UTC) for h in (0, 6, 8, 12, 18, 20)]
    await desk.add_rule(function.id, Shift(anne.id, at[1], at[3]))
    await desk.add_rule(function.id, Shift(bruno.id, at[2], at[4]))
    await desk.change_function(function.id, FunctionChange(hours="Mo-Su 06:00-20:00"), None)
    shown = await desk.read_rota(function.id, at[0], start + timedelta(days=1))
    assert [(f.kind, f.start, f.end, f.people) for f in shown.faults] == [
        ("overlap", at[2], at[3], 2),
        ("gap", at[4], at[5], 0),
    ]
    (closed,) = await desk.on_call(OnCallAt(str(function.id), at[0]))
    assert (closed.people, closed.enough) == ([], True)
    assert [len(span.members) for span in shown.spans] == [0, 1, 2, 1, 0]
    for start_, end in ((at[1], at[1]), (at[1], at[0]), (at[0], at[0] + timedelta(days=101))):
        with pytest.raises(Invalid):
            await desk.read_rota(function.id, start_, end)


async def test_the_calendar_reads_back_as_the_rota(night):
    desk, _, anne, bruno, function = night
    now = clock.now().replace(microsecond=0) + HOUR
    await desk.add_rule(function.id, Shift(anne.id, now, now + HOUR))
    await desk.add_rule(function.id, Shift(bruno.id, now + HOUR, now + 2 * HOUR))
    shown = await desk.read_rota(function.id, now, now + 5 * HOUR)
    events = Calendar.from_ical(calendar(shown, None, now)).walk("VEVENT")
    assert [(e.decoded("dtstart"), e.decoded("dtend"), str(e["summary"])) for e in events] == [
        (now, now + HOUR, "Astreinte éclairage: Anne"),
        (now + HOUR, now + 2 * HOUR, "Astreinte éclairage: Bruno"),
    ]
    (mine,) = Calendar.from_ical(calendar(shown, bruno.id, now)).walk("VEVENT")
    assert str(mine["uid"]) == str(events[1]["uid"])


async def test_another_municipalitys_duty_does_not_exist(night):
    _, team, anne, bruno, function = night
    stranger = Desk(night[0].database, TALANT)
    now = clock.now()
    assert team.id not in [t.id for t in await stranger.list_teams()]
    assert function.id not in [one.function.id for one in await stranger.on_call(OnCallAt())]
    for attempt in (
        stranger.read_team(team.id),
        stranger.change_team(team.id, TeamChange("x"), None),
        stranger.add_member(team.id, NewMember(name="x")),
        stranger.change_member(anne.id, MemberChange(active=False)),
        stranger.on_call(OnCallAt(function.key)),
        stranger.read_rota(function.id, now, now + HOUR),
        stranger.add_rule(function.id, Shift(anne.id, now, now + HOUR)),
        stranger.add_absence(anne.id, NewAbsence(now, now + HOUR)),
        stranger.hand_over(HandOver(function.id, anne.id, bruno.id)),
        stranger.create_function(NewFunction(team.id, "k", "x")),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(Forbidden):
        await stranger.create_team(NewTeam("x", "21231", "lighting"))
    async with stranger.unit() as unit:
        for table in ("team", "member", "function", "rule", "absence", "hand_over"):
            rows = await unit.execute(text(f"select count(*) from duty.{table}"))
            assert rows.scalar_one() == 0, table


async def test_what_cannot_be_is_refused_and_changes_nothing(night):
    desk, team, anne, bruno, function = night
    now = clock.now()
    stranger = await desk.create_team(NewTeam("Autre", "21231", "lighting"))
    other = await desk.add_member(stranger.id, NewMember(name="Zoé"))
    for attempt, error in (
        (desk.create_team(NewTeam("\u200b", "21231", "lighting")), Invalid),
        (desk.add_member(team.id, NewMember()), Invalid),
        (desk.add_member(team.id, NewMember(account=uuid4(), name="x")), Invalid),
        (desk.add_member(team.id, NewMember(account=uuid4())), Invalid),
        (desk.create_function(NewFunction(team.id, function.key, "x")), Conflict),
        (desk.create_function(NewFunction(team.id, "k", "x", 1, "whenever")), Invalid),
        (desk.change_function(function.id, FunctionChange(people=2), 9), PreconditionFailed),
        (desk.change_team(team.id, TeamChange("x"), 9), PreconditionFailed),
        (desk.add_rule(function.id, Shift(other.id, now, now + HOUR)), Invalid),
        (desk.add_rule(function.id, Swap(anne.id, anne.id, now, now + HOUR)), Invalid),
        (
            desk.add_rule(function.id, Shift(anne.id, now, datetime(9000, 1, 1, tzinfo=UTC))),
            Invalid,
        ),
        (desk.add_rule(function.id, Shift(anne.id, datetime(2026, 1, 1), now)), Invalid),
        (desk.add_absence(anne.id, NewAbsence(now, now)), Invalid),
        (desk.hand_over(HandOver(function.id, anne.id, other.id)), Invalid),
        (desk.hand_over(HandOver(function.id, anne.id, anne.id)), Invalid),
        (desk.hand_over(HandOver(function.id, anne.id, bruno.id, "\0")), Invalid),
        (desk.on_call(OnCallAt("none")), NotFound),
        (desk.end_rule(uuid4()), NotFound),
        (desk.end_absence(uuid4()), NotFound),
    ):
        with pytest.raises(error):
            await attempt
    assert (await desk.read_function(function.id)) == function
    shown = await desk.read_rota(function.id, now, now + HOUR)
    assert (shown.rules, shown.absences) == ([], [])


async def test_a_team_grows_only_so_far(night, monkeypatch):
    desk, team, *_ = night
    monkeypatch.setitem(teams.MOST, "member", 2)
    with pytest.raises(TooMany):
        await desk.add_member(team.id, NewMember(name="x"))


async def test_teams_and_functions_are_found_and_linked(night):
    desk, team, _, _, function = night
    async with desk.unit() as unit:
        found = await search.find(unit, "astreinte ecl")
        assert str(function.id) in [i.id for i in found.items if i.type == "duty.function"]
        (exact,) = (await search.find(unit, function.key)).items
        assert exact.address == f"/duty/functions/{function.id}"
        assert (await search.find(unit, "Anne")).items == []
        ends = Ref("duty.team", str(team.id)), Ref("duty.function", str(function.id))
        await links.link(unit, *ends, "concerns")
        (link,) = await links.of(unit, ends[0])
        assert (link.title.title, link.title.subtitle) == ("Astreinte éclairage", "Éclairage")
    await desk.change_team(team.id, TeamChange("Lumière"), 1)
    async with desk.unit() as unit:
        found = await search.find(unit, "lumiere")
        assert {i.type for i in found.items} >= {"duty.team", "duty.function"}
    async with Desk(desk.database, TALANT).unit() as unit:
        assert (await search.find(unit, function.key)).items == []


async def test_other_rooms_ask_and_hand_over_by_verbs(night):
    desk, _, anne, bruno, function = night
    async with desk.unit() as unit:
        (one,) = await verbs.call(unit, "duty.on_call", {"function": function.key})
        assert one.people == []
        handed = await verbs.call(
            unit, "duty.hand_over",
            {"function": function.id, "giver": anne.id, "taker": bruno.id, "note": "Feu 12"},
        )  # fmt: skip
    assert (handed.giver.name, handed.taker.name, handed.note) == ("Anne", "Bruno", "Feu 12")
    assert [h.note for h in await desk.list_hand_overs(function.id, 5)] == ["Feu 12"]


async def test_an_account_is_called_by_its_own_name(night, database):
    desk, team, *_ = night
    async with database.unit() as unit:
        account = (
            await unit.execute(
                text(
                    "insert into access.account (id, username, display_name, password,"
                    " password_changed, created) values (gen_random_uuid(), 'carla', 'Carla', '',"
                    " now(), now()) returning id"
                )
            )
        ).scalar_one()
    member = await desk.add_member(team.id, NewMember(account=account))
    assert member.name == "Carla"
    with pytest.raises(Conflict):
        await desk.add_member(team.id, NewMember(account=account))
    with pytest.raises(Invalid):
        await desk.change_member(member.id, MemberChange(phone="1"))
    async with database.unit() as unit:
        exported = await personal.export(unit, f"user:{account}")
        assert [m["team"] for m in exported["memberships"]] == ["Éclairage"]
        assert await personal.erase(unit, f"user:{account}") == 1
    assert (await desk.read_team(team.id)).members[-1].name == ""


async def test_who_is_erased_is_named_nowhere(night, database, owner):
    desk, _, anne, bruno, function = night
    await desk.change_member(anne.id, MemberChange(name="Ursuline", phone="0699887766"))
    await desk.add_rule(function.id, Shift(anne.id, clock.now(), clock.now() + 9 * HOUR))
    await desk.hand_over(HandOver(function.id, bruno.id, anne.id, "Ursuline sait"))
    subject = f"duty:{anne.id}"
    async with database.unit() as unit:
        exported = await personal.export(unit, subject)
    assert "0699887766" in str(exported)
    assert "Ursuline sait" in str(exported)
    during = clock.now()
    async with database.unit() as unit:
        assert await personal.erase(unit, subject) == 1
        assert await personal.erase(unit, "duty:none") == 0
    found = await owner.execute(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('duty', 'core') and table_type = 'BASE TABLE'"
    )
    for schema, table in await found.fetchall():
        rows = await owner.execute(
            f"select count(*) from {schema}.{table} t where t::text ~ 'Ursuline|0699887766'"
        )
        assert (await rows.fetchone())[0] == 0, table
    left = await owner.execute(
        "select value from journal.personal where value ~ 'Ursuline|0699887766'"
    )
    assert await left.fetchall() == []
    (now,) = await desk.on_call(OnCallAt(str(function.id)))
    (then,) = await desk.on_call(OnCallAt(str(function.id), during))
    assert now.people == []
    assert [(p.id, p.name) for p in then.people] == [(anne.id, "")]


async def test_over_http(city, runtime):
    app = build_app(runtime, every_room().collect("routes"), every_room().permissions,
                    every_room().roles)  # fmt: skip
    operator = await person(app, runtime, "duty-op", "operator@21231")
    viewer = await person(app, runtime, "duty-viewer", "viewer@21231")
    api = "/api/v1/duty"
    team = (
        await operator.post(f"{api}/teams", json={"name": "Feux", "municipality": "21231"})
    ).json()
    member = (await operator.post(f"{api}/teams/{team['id']}/members", json={"name": "Ali"})).json()
    made = await operator.post(
        f"{api}/functions", json={"team": team["id"], "key": "feux", "name": "Feux"}
    )
    assert made.status_code == 201
    path = f"{api}/functions/{made.json()['id']}"
    pattern = {
        "members": [member["id"]], "weekdays": ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        "start": "00:00", "end": "00:00", "days": 1, "first": clock.now().date().isoformat(),
    }  # fmt: skip
    assert (await operator.post(f"{path}/patterns", json=pattern)).status_code == 201
    for field, value in (("start", "25:00"), ("days", 99), ("weekdays", []), ("members", [])):
        bad = await operator.post(f"{path}/patterns", json=pattern | {field: value})
        assert bad.status_code == 422, field
        assert bad.json()["errors"][0]["field"].startswith(field)
    on = (await operator.get(f"{api}/on-call", params={"function": "feux"})).json()
    assert on[0]["people"] == [] or on[0]["people"][0]["name"] == "Ali"
    now = clock.now() + timedelta(days=2)
    span = {"from": clock.rfc3339(now), "to": clock.rfc3339(now + HOUR)}
    shown = (await operator.get(f"{path}/rota", params=span)).json()
    assert [s["members"] for s in shown["spans"]] == [[member["id"]]]
    assert shown["rules"][0]["pattern"]["start"] == "00:00"
    file = await operator.get(f"{path}/rota.ics", params=span)
    assert file.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:Feux: Ali" in file.text
    assert (await operator.get(f"{path}/rota")).status_code in (400, 422)
    read = await operator.get(path)
    changed = await operator.patch(
        path, json={"people": 2}, headers={"If-Match": read.headers["etag"]}
    )
    assert (changed.status_code, changed.json()["people"]) == (200, 2)
    stale = await operator.patch(
        path, json={"people": 3}, headers={"If-Match": read.headers["etag"]}
    )
    assert stale.status_code == 412
    assert (await viewer.get(f"{api}/on-call")).status_code == 403
    rule = shown["rules"][0]["id"]
    assert (await operator.delete(f"{api}/rules/{rule}")).status_code == 204
    for browser in (operator, viewer):
        await browser.aclose()


def test_specs_are_stored_as_they_are_read():
    spec = Shift(uuid4(), clock.now(), clock.now() + HOUR)
    stored = msgspec.json.decode(msgspec.json.encode(spec))
    assert stored["kind"] == "shift"
    assert msgspec.convert(stored, Pattern | Shift | Swap) == spec


def test_scopes_of_this_test_are_what_they_seem():
    assert scope_of(ADMIN.grants) == EVERYTHING
    assert scope_of(DIJON.grants) == Scope(municipalities=frozenset({"21231"}))
