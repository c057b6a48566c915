"""The room's log: written, corrected, handed over; never changed; seen in scope."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie import places
from vigie.core import verbs
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from vigie.core.ids import uuid7
from vigie.core.journal import Change, list_entries, record
from vigie.core.journal.read import Filter
from vigie.core.scope import Grant, Principal, scope_of
from vigie.core.web import build_app
from vigie.logbook import ShiftHandOver, WriteEntry, service
from vigie.logbook.model import Correction, LogEntry
from vigie.logbook.rules import still_open

ANNE = Principal(uuid7(), "anne", "user", (Grant("operator"),))
BRUNO = Principal(uuid7(), "bruno", "user", (Grant("operator", "21231"),))


def unit_of(database, principal):
    return database.unit(principal, scope_of(principal.grants))


async def write(database, text, principal=ANNE, **more) -> LogEntry:
    async with unit_of(database, principal) as unit:
        return await service.write(unit, WriteEntry(text=text, **more))


@pytest.fixture
async def database(new_runtime):
    runtime = await new_runtime()
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    return runtime.database


async def test_entries_are_numbered_by_shift_and_stand(database):
    first = await write(database, "A lorry stands on the bollards")
    second = await write(database, "It left", unit="Patrol 3")
    assert [(e.shift_number, e.number, e.kind) for e in (first, second)] == [
        (1, 1, "hand"),
        (1, 2, "unit"),
    ]
    async with unit_of(database, ANNE) as unit:
        beside = await service.correct(unit, first.id, Correction("A van, not a lorry"))
        assert (beside.of, beside.number) == (first.id, 3)
        assert (await service.read_entry(unit, first.id)).text == "A lorry stands on the bollards"


async def test_two_who_write_at_once_have_two_numbers(database):
    written = await asyncio.gather(*(write(database, f"entry {n}") for n in range(6)))
    assert sorted(e.number for e in written) == [1, 2, 3, 4, 5, 6]
    assert len({e.shift for e in written}) == 1


@pytest.mark.parametrize(
    "statement", ["update logbook.entry set text = ''", "delete from logbook.entry"]
)
async def test_nobody_changes_an_entry(database, statement):
    await write(database, "It stands")
    with pytest.raises(Exception, match="permission denied"):
        async with database.unit() as unit:
            await (await unit.raw()).execute(statement)


async def test_a_shift_is_handed_over_with_what_is_open(database):
    asked = await write(database, "Check the pump tomorrow", follow_up=True)
    await write(database, "Nothing else")
    async with unit_of(database, ANNE) as unit:
        assert [e.id for e in await service.open_items(unit)] == [asked.id]
        with pytest.raises(PreconditionFailed):
            await service.hand_over(unit, asked.shift, ShiftHandOver("quiet"), 7)
        with pytest.raises(Invalid):
            await service.hand_over(unit, asked.shift, ShiftHandOver("  "), 1)
        handed = await service.hand_over(unit, asked.shift, ShiftHandOver("Quiet but the pump"), 1)
        assert (handed.state, handed.handed_by, handed.version) == ("handed", "anne", 2)
        again = await service.hand_over(unit, asked.shift, ShiftHandOver("twice"), 2)
        assert again.note == "Quiet but the pump"
    async with unit_of(database, ANNE) as unit:
        assert (await service.take(unit, asked.shift, 2)).state == "closed"
        settled = await service.correct(unit, asked.id, Correction("Pump is fine", settles=True))
        assert (settled.shift_number, settled.number) == (2, 1)
        assert await service.open_items(unit) == []
        with pytest.raises(Conflict, match="settled"):
            await service.correct(unit, asked.id, Correction("again", settles=True))
        with pytest.raises(Conflict, match="did not ask"):
            await service.correct(unit, settled.id, Correction("no", settles=True))


async def test_an_entry_is_seen_and_written_in_ones_own_scope(database):
    here = await write(database, "Here", BRUNO, municipality="21231")
    await write(database, "There", municipality="21166")
    async with unit_of(database, BRUNO) as unit:
        with pytest.raises(Forbidden):
            await service.write(unit, WriteEntry(text="x", municipality="21166"))
        with pytest.raises(Forbidden):
            await service.write(
                unit, WriteEntry(text="x", municipality="21231", compartment="police")
            )
        rows = await service.live_rows(unit, None)
        assert [row.id for row in rows] == [str(here.id)]
        assert rows[0].scope == "21231/"
        with pytest.raises(NotFound):
            await service.read_entry(unit, uuid7())


async def test_other_rooms_write_by_the_verb_and_link_what_it_concerns(database):
    first = await write(database, "Pump", follow_up=True)
    about = [{"type": "logbook.entry", "id": str(first.id)}]
    async with unit_of(database, ANNE) as unit:
        entry = await verbs.call(unit, "logbook.write", {"text": "By a rule", "about": about})
        assert entry.number == 2
        told = await list_entries(unit, Filter(acts=("logbook",)), limit=10)
        assert [e.act for e in told.items] == ["logbook.written", "logbook.written"]
        assert "Pump" not in str(told.items)


async def test_an_act_is_one_line_however_often_it_is_told(database):
    async with database.unit() as unit:
        done = await record(
            unit, "control.commanded", params={"level": 40},
            changes=[Change("twin.asset", "1", None, {}, "21231/lighting")],
        )  # fmt: skip
    from vigie.core.journal import read_entry

    for _ in range(2):
        async with database.unit() as unit:
            await service.write_act(unit, await read_entry(unit, done), ("21231", "lighting"))
    async with database.unit() as unit:
        (row,) = await service.live_rows(unit, None)
        assert (row.body.kind, row.body.act, row.body.params) == (
            "act", "control.commanded", {"level": 40},
        )  # fmt: skip


async def test_over_http_listed_searched_and_printed(new_runtime):
    runtime = await new_runtime()
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    runtime.database.zone_of = places.time_zone
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    async with await person(app, runtime, "claire", "operator") as claire:
        made = await claire.post("/api/v1/logbook/entries", json={"text": "Fumée rue Monge"})
        assert made.status_code == 201, made.text
        found = (await claire.get("/api/v1/logbook/entries?filter=fumee")).json()
        assert [e["text"] for e in found["items"]] == ["Fumée rue Monge"]
        hits = (await claire.get("/api/v1/search?q=fumee")).json()["items"]
        assert [h["type"] for h in hits] == ["logbook.entry"]
        csv = await claire.get("/api/v1/logbook/entries.csv")
        assert "Fumée rue Monge" in csv.text
        shift = (await claire.get("/api/v1/logbook/shifts")).json()["items"][0]
        at = f"/api/v1/logbook/shifts/{shift['id']}"
        handed = await claire.post(
            f"{at}/hand-over", json={"note": "RAS"}, headers={"If-Match": '"1"'}
        )
        assert (handed.status_code, handed.json()["state"]) == (200, "handed")
        sheet = await claire.get(f"{at}/sheet.pdf?lang=fr")
        assert sheet.status_code == 200, sheet.text
        assert sheet.content.startswith(b"%PDF")


entries = st.builds(
    LogEntry,
    id=st.uuids(), shift=st.uuids(), shift_number=st.just(1), number=st.integers(1, 99),
    at=st.datetimes(timezones=st.just(UTC)), recorded=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    author=st.just(""), kind=st.just("hand"), unit=st.just(""), text=st.text(max_size=3),
    act=st.just(""), params=st.just({}), follow_up=st.booleans(), of=st.none(),
    settles=st.booleans(), municipality=st.just(""), trade=st.just(""), compartment=st.just(""),
)  # fmt: skip


@given(st.lists(entries, max_size=8), st.data())
def test_open_is_what_was_asked_and_not_settled(asked, data):
    import msgspec

    settled = data.draw(st.sets(st.sampled_from([e.id for e in asked]))) if asked else set()
    answers = [
        msgspec.structs.replace(e, id=uuid7(), of=e.id, settles=True, follow_up=False)
        for e in asked
        if e.id in settled
    ]
    waiting = still_open([*asked, *answers])
    assert {e.id for e in waiting} == {e.id for e in asked if e.follow_up and e.id not in settled}
    assert [e.at for e in waiting] == sorted(e.at for e in waiting)
