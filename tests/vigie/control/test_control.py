"""The life of commands on real engines: asked, sent, answered in any order, ended, told."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from nats.aio.msg import Msg

from tests.vigie.control.conftest import (
    ANNE,
    BRUNO,
    CHENOVE,
    CHENOVE_ONLY,
    EVERYTHING,
    Ack,
    Lights,
    reading,
)
from vigie.control import (
    Command,
    RequestCommand,
    acknowledge,
    cancel_command,
    list_commands,
    list_targets,
    observe,
    read_command,
    request_command,
)
from vigie.control.keeper import keep
from vigie.control.rules import FEW
from vigie.control.sender import claim, send_due
from vigie.core import clock
from vigie.core.database import Database
from vigie.core.errors import Conflict, Invalid, NotFound, VigieError
from vigie.core.journal import Filter, list_entries, list_object
from vigie.core.runtime import Runtime

pytestmark = pytest.mark.usefixtures("quiet")


def wish(assets: list[int] | None = None, level: float = 40, **more: Any) -> RequestCommand:
    fields = {"assets": assets, "reason": "too dark"} | more
    return RequestCommand("set_dimming_level", {"level": level}, **fields)


async def ask(database: Database, asked: RequestCommand, key: str | None = None) -> Command:
    async with database.unit(ANNE, EVERYTHING) as unit:
        return await request_command(unit, asked, idempotency_key=key)


async def answer(database: Database, *acks: Ack) -> int:
    async with database.unit() as unit:
        return len(await acknowledge(unit, acks))


async def see(database: Database, *evidence: Any) -> int:
    async with database.unit() as unit:
        return await observe(unit, evidence)


async def states(database: Database, command: Command) -> dict[int, str]:
    async with database.unit() as unit:
        page = await list_targets(unit, command.id, limit=1000)
    return {target.asset.id: target.state for target in page.items}


async def targets(database: Database, command: Command) -> dict[int, Any]:
    async with database.unit() as unit:
        page = await list_targets(unit, command.id, limit=1000)
    return {target.asset.id: target for target in page.items}


async def read(database: Database, command: Command) -> Command:
    async with database.unit() as unit:
        return await read_command(unit, command.id)


async def make_due(owner: psycopg.AsyncConnection) -> None:
    await owner.execute("update control.target set next_send = now() where next_send is not null")


async def test_from_request_to_confirmed(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    ids = await lights.add(5)
    await lights.shows(ids, 10)
    published: list[tuple[str, dict[str, Any]]] = []

    async def hear(message: Msg) -> None:
        published.append((message.subject, msgspec.json.decode(message.data)))

    down = await runtime.bus.subscribe("down.>", hear)
    await runtime.bus.client.flush()
    command = await ask(database, wish(ids))
    assert command.total == 5
    assert command.counts["requested"] == 5
    assert (command.requested_by.name, command.reason) == ("anne", "too dark")
    assert await send_due(runtime) == 5
    assert set((await states(database, command)).values()) == {"sent"}
    await runtime.bus.client.flush()
    await asyncio.sleep(0.05)
    assert len(published) == 5
    subject, order = published[0]
    assert subject.split(".")[2] == order["device"]
    assert order["id"] == str(command.id)
    assert order["params"] == {"level": 40}
    await answer(database, *(Ack(command.id, i, "received") for i in ids))
    assert set((await states(database, command)).values()) == {"delivered"}
    await answer(database, *(Ack(command.id, i, "done") for i in ids[:3]))
    assert await see(database, reading(ids[3], 40.4), reading(ids[4], 12)) == 1
    await keep(runtime)
    assert (await read(database, command)).counts["confirmed"] == 4
    await answer(database, Ack(command.id, ids[4], "done"))
    moved = await keep(runtime)
    ended = await read(database, command)
    assert ended.counts["confirmed"] == 5
    assert ended.ended_at is not None
    mine = [progress for progress in moved if progress.id == command.id]
    assert mine[-1].counts["confirmed"] == 5
    assert mine[-1].parts == {"21231/lighting": {"confirmed": 5}}
    async with database.unit(ANNE, EVERYTHING) as unit:
        acts = (await list_entries(unit, Filter(acts=("control",)), limit=2)).items
        of_light = (await list_object(unit, "twin.asset", str(ids[0]))).items
    assert [act.act for act in acts] == ["control.ended", "control.commanded"]
    assert acts[0].params["counts"] == {"confirmed": 5}
    assert acts[1].changes[0].after == {"dimmingLevel": 40.0}
    assert [entry.act for entry in of_light] == ["control.commanded"]
    pending = await lights.owner.execute(
        "select count(*) from twin.intent where pending and asset = any(%s)", [ids]
    )
    assert await pending.fetchone() == (0,)
    await down.unsubscribe()


async def test_answers_may_come_in_any_order_and_twice(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    (light, refusing) = await lights.add(2)
    command = await ask(database, wish([light, refusing]))
    await send_due(runtime)
    done, received = Ack(command.id, light, "done"), Ack(command.id, light, "received")
    await answer(database, done, received, done, received)
    await answer(database, received, done)
    refused = Ack(command.id, refusing, "refused", "interlock", "door open")
    await answer(database, refused, refused)
    found = await targets(database, command)
    assert found[light].state == "confirmed"
    assert found[light].delivered_at is not None
    assert not found[light].late
    assert found[refusing].state == "refused"
    assert found[refusing].error.code == "interlock"
    assert found[refusing].error.params["detail"] == "door open"
    await answer(database, Ack(command.id, refusing, "done"))
    assert (await targets(database, command))[refusing].late
    await keep(runtime)
    async with database.unit() as unit:
        last = (await list_entries(unit, Filter(acts=("control.ended",)), limit=1)).items[0]
    assert [(c.object_id, c.after) for c in last.changes] == [
        (str(refusing), {"command": "refused", "error": "interlock"})
    ]


async def test_many_answers_at_once_end_as_one_by_one(runtime: Runtime, lights: Lights) -> None:
    """The statement for all that answer alike, and the careful way, agree."""
    database = runtime.database
    ids = await lights.add(60)
    each = await lights.add(60)
    at_once, one_by_one = await ask(database, wish(ids)), await ask(database, wish(each))
    await send_due(runtime)
    script: list[list[str]] = [["received"], ["done"], ["received", "done"], ["done", "received"]]
    script += [["received", "refused"], ["done", "done"]]
    said = [script[n % len(script)] for n in range(60)]
    for _ in range(2):
        flat = [Ack(at_once.id, i, s) for i, told in zip(ids, said, strict=True) for s in told]
        assert await answer(database, *flat) == 0
        for asset, told in zip(each, said, strict=True):
            await answer(database, *(Ack(one_by_one.id, asset, s) for s in told))
    many = list((await targets(database, at_once)).values())
    single = list((await targets(database, one_by_one)).values())
    assert [(t.state, t.late) for t in many] == [(t.state, t.late) for t in single]
    assert {t.state for t in many} == {"delivered", "confirmed", "refused"}
    assert all(t.delivered_at is not None for t in many)
    pending = await lights.owner.execute(
        "select count(*) from twin.intent where pending and asset = any(%s)", [ids]
    )
    assert await pending.fetchone() == (10,)
    shown = await lights.owner.execute(
        "select count(*) from twin.intent where shown and asset = any(%s)", [ids]
    )
    assert await shown.fetchone() == (sum(t.state == "confirmed" for t in many),)


async def test_an_answer_to_no_command_is_given_back(database: Database, lights: Lights) -> None:
    (one, other) = await lights.add(2)
    command = await ask(database, wish([one]))
    unknown = await answer(
        database,
        Ack(uuid4(), one, "done"),
        Ack(command.id, other, "done"),
        Ack(command.id, one, "received"),
    )
    assert unknown == 2


async def test_a_reading_confirms_what_was_received(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    (light,) = await lights.add(1)
    await lights.shows([light], 10)
    before = clock.now()
    command = await ask(database, wish([light]))
    assert await see(database, reading(light, 40)) == 0, "not sent"
    await send_due(runtime)
    assert await see(database, reading(light, 40)) == 0, "not received"
    await answer(database, Ack(command.id, light, "received"))
    assert await see(database, reading(light, 40, before)) == 0, "older than the command"
    assert await see(database, reading(light, 30)) == 0, "something else"
    assert await see(database, reading(light, 40)) == 1
    assert await states(database, command) == {light: "confirmed"}


async def test_a_reading_proves_nothing_where_it_was_so(runtime: Runtime, lights: Lights) -> None:
    """Else a lamp that happened to be so would confirm a command it never carried out."""
    database = runtime.database
    showing, wanting, unknown = ids = await lights.add(3)
    await lights.shows([showing], 40)
    await lights.shows([wanting], 10)
    await ask(database, wish([wanting]))
    command = await ask(database, wish(ids))
    await send_due(runtime)
    await answer(database, *(Ack(command.id, light, "received") for light in ids))
    assert await see(database, *(reading(light, 40) for light in ids)) == 0
    await answer(database, *(Ack(command.id, light, "done") for light in (showing, unknown)))
    assert await states(database, command) == {
        showing: "confirmed",
        wanting: "delivered",
        unknown: "confirmed",
    }


async def test_what_was_never_published_is_sent_again(
    runtime: Runtime, lights: Lights, owner: psycopg.AsyncConnection
) -> None:
    """A sender killed between its commit and its publish."""
    database = runtime.database
    (light,) = await lights.add(1)
    command = await ask(database, wish([light]))
    async with database.unit() as unit:
        claimed, orders = await claim(unit, FEW)
    assert (claimed, len(orders)) == (1, 1)
    assert await send_due(runtime) == 0
    pause = await owner.execute(
        "select extract(epoch from next_send - sent_at) from control.target where command = %s",
        [command.id],
    )
    assert 1.5 < float((await pause.fetchone() or (0,))[0]) < 2.5
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    down = await runtime.bus.subscribe("down.>", hear)
    await runtime.bus.client.flush()
    for _ in range(3):
        await make_due(owner)
        await send_due(runtime)
    await answer(database, Ack(command.id, light, "received"))
    await make_due(owner)
    assert await send_due(runtime) == 1, "delivered without an outcome is sent again"
    await runtime.bus.client.flush()
    await asyncio.sleep(0.05)
    assert len(heard) == 4
    await down.unsubscribe()
    found = (await targets(database, command))[light]
    assert (found.state, found.attempts) == ("delivered", 5)
    await answer(database, Ack(command.id, light, "done"))
    await make_due(owner)
    assert await send_due(runtime) == 0


async def test_two_senders_never_claim_the_same(runtime: Runtime, lights: Lights) -> None:
    ids = await lights.add(300)
    await ask(runtime.database, wish(ids))
    counts = await asyncio.gather(*(send_due(runtime, 50) for _ in range(6)))
    assert sum(counts) == 300
    rows = await lights.owner.execute(
        "select max(attempts) from control.target where asset = any(%s)", [ids]
    )
    assert await rows.fetchone() == (1,)


async def test_expires_and_keeps_what_comes_late(
    runtime: Runtime, lights: Lights, owner: psycopg.AsyncConnection
) -> None:
    database = runtime.database
    (acked, shown, silent) = await lights.add(3)
    await lights.shows([acked, shown, silent], 10)
    command = await ask(database, wish([acked, shown, silent]))
    await send_due(runtime)
    await owner.execute(
        "update control.command set expires_at = now() - interval '10 s' where id = %s",
        [command.id],
    )
    assert await send_due(runtime) == 0
    await keep(runtime)
    assert set((await states(database, command)).values()) == {"timed_out"}
    assert (await read(database, command)).ended_at is not None
    await answer(database, Ack(command.id, acked, "done"))
    await lights.shows([shown], 40)
    await keep(runtime, late=True)
    found = await targets(database, command)
    assert {i: t.state for i, t in found.items()} == dict.fromkeys(found, "timed_out")
    assert {i for i, t in found.items() if t.late} == {acked, shown}
    assert found[acked].late_evidence["event"] == "done"
    assert found[shown].late_evidence["event"] == "shown"


async def test_tells_since_when_an_unanswered_command_is_shown(
    runtime: Runtime, lights: Lights, owner: psycopg.AsyncConnection
) -> None:
    """Nothing was acknowledged, so nothing is confirmed; but the lamp does it, and that is said."""
    database = runtime.database
    obeys, unknown, wavers, afterwards, other = ids = await lights.add(5)
    await lights.shows([obeys, wavers, afterwards, other], 10)
    before = clock.now()
    command = await ask(database, wish(ids))
    await send_due(runtime)
    first = clock.now()
    await see(database, *(reading(light, 40, before) for light in ids))
    await see(database, *(reading(light, 40, first) for light in (obeys, unknown, wavers)))
    await see(database, *(reading(light, 40) for light in (obeys, unknown, wavers)))
    await see(database, reading(wavers, 12), reading(other, 12))
    found = await targets(database, command)
    assert {i: t.shown_since for i, t in found.items()} == {
        obeys: first, unknown: first, wavers: None, afterwards: None, other: None
    }  # fmt: skip
    await owner.execute(
        "update control.command set expires_at = now() - interval '10 s' where id = %s",
        [command.id],
    )
    await keep(runtime)
    after = clock.now()
    await lights.shows([afterwards], 40, after)
    # Another value is older than the command: only what was wanted has to be new.
    await owner.execute(
        "update twin.state set ats = array[at, at - interval '1 day', null, null, null, null,"
        " null, null] where asset = %s",
        [afterwards],
    )
    await keep(runtime, late=True)
    found = await targets(database, command)
    assert {t.state for t in found.values()} == {"timed_out"}
    assert {i: t.shown_since for i, t in found.items()} == {
        obeys: first, unknown: first, wavers: None, afterwards: after, other: None
    }  # fmt: skip
    assert found[afterwards].late_evidence["event"] == "shown"


async def test_a_new_command_supersedes_what_is_open(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    (a, b, c) = await lights.add(3)
    first = await ask(database, wish([a, b]))
    await send_due(runtime)
    await answer(database, Ack(first.id, a, "done"))
    second = await ask(database, wish([a, b, c], 70))
    assert await states(database, first) == {a: "confirmed", b: "superseded"}
    await send_due(runtime)
    # The lamp obeys the first command late: evidence of the first, not of the second.
    assert await see(database, reading(b, 40)) == 0
    await answer(database, Ack(first.id, b, "done"))
    assert (await targets(database, first))[b].late
    pending = await lights.owner.execute("select pending from twin.intent where asset = %s", [b])
    assert await pending.fetchone() == (True,)
    assert (await states(database, second))[b] == "sent"
    await keep(runtime)
    assert (await read(database, first)).ended_at is not None


async def test_two_requests_at_once_leave_one_open(database: Database, lights: Lights) -> None:
    ids = await lights.add(40)
    made = await asyncio.gather(*(ask(database, wish(ids, level)) for level in (10, 20, 30)))
    by_state = [set((await states(database, command)).values()) for command in made]
    assert sorted(map(sorted, by_state)) == [["requested"], ["superseded"], ["superseded"]]


async def test_cancels_what_is_open(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    (a, b) = await lights.add(2)
    command = await ask(database, wish([a, b]))
    await send_due(runtime)
    await answer(database, Ack(command.id, a, "done"))
    async with database.unit(ANNE, EVERYTHING) as unit:
        await cancel_command(unit, command.id, "wrong street")
    assert await states(database, command) == {a: "confirmed", b: "cancelled"}
    await keep(runtime)
    assert (await read(database, command)).counts["cancelled"] == 1
    with pytest.raises(Conflict) as refused:
        async with database.unit(ANNE, EVERYTHING) as unit:
            await cancel_command(unit, command.id, "again")
    assert refused.value.code == "command_ended"
    async with database.unit(ANNE, EVERYTHING) as unit:
        act = (await list_entries(unit, Filter(acts=("control.cancelled",)), limit=1)).items[0]
    assert (act.reason, act.changes_count) == ("wrong street", 1)


@pytest.mark.parametrize("revoked", [False, True])
async def test_what_no_gateway_carries_fails_at_once(
    runtime: Runtime, lights: Lights, revoked: bool
) -> None:
    (light,) = await lights.add(1, carried=revoked)
    if revoked:
        await lights.owner.execute(
            "update gateways.client set revoked = now()"
            " where id = (select client from gateways.device where asset = %s)",
            [light],
        )
    command = await ask(runtime.database, wish([light]))
    await send_due(runtime)
    found = (await targets(runtime.database, command))[light]
    assert (found.state, found.error.code) == ("failed", "no_gateway")
    await keep(runtime)
    assert (await read(runtime.database, command)).ended_at is not None


async def test_the_same_key_is_the_same_command(database: Database, lights: Lights) -> None:
    ids = await lights.add(2)
    key = str(uuid4())
    made = await asyncio.gather(*(ask(database, wish(ids), key) for _ in range(3)))
    assert len({command.id for command in made}) == 1
    with pytest.raises(Conflict) as refused:
        await ask(database, wish(ids, 50), key)
    assert refused.value.code == "idempotency_key_reused"
    async with database.unit(BRUNO, EVERYTHING) as unit:
        other = await request_command(unit, wish(ids), idempotency_key=key)
    assert other.id != made[0].id


async def test_a_key_used_where_one_had_rights_before_is_reused(
    database: Database, lights: Lights
) -> None:
    key = str(uuid4())
    await ask(database, wish(await lights.add(1)), key)
    there = wish(await lights.add(1, CHENOVE))
    with pytest.raises(Conflict) as refused:
        async with database.unit(ANNE, CHENOVE_ONLY) as unit:
            await request_command(unit, there, idempotency_key=key)
    assert refused.value.code == "idempotency_key_reused"


async def test_another_municipality_sees_and_touches_nothing(
    database: Database, lights: Lights
) -> None:
    dijon = await lights.add(2)
    chenove = await lights.add(1, CHENOVE)
    command = await ask(database, wish(dijon))
    mixed = await ask(database, wish([*dijon, *chenove]))

    async def as_bruno(verb: Any, *arguments: Any, **named: Any) -> Any:
        async with database.unit(BRUNO, CHENOVE_ONLY) as unit:
            return await verb(unit, *arguments, **named)

    for verb, arguments in (
        (read_command, (command.id,)),
        (list_targets, (command.id,)),
        (cancel_command, (command.id, "no")),
        (request_command, (wish(dijon),)),
        (request_command, (wish([*dijon, *chenove]),)),
        (request_command, (wish([2**31 - 1]),)),
        (request_command, (wish([2**40]),)),
    ):
        with pytest.raises(NotFound):
            await as_bruno(verb, *arguments)
    visible = (await as_bruno(list_commands)).items
    assert {c.id for c in visible} == {mixed.id}
    shown = (await as_bruno(list_targets, mixed.id)).items
    assert [target.asset.id for target in shown] == chenove
    await as_bruno(cancel_command, mixed.id, "ours only")
    assert await states(database, mixed) == {
        **dict.fromkeys(dijon, "requested"),
        chenove[0]: "cancelled",
    }
    acts = (await as_bruno(list_entries, Filter())).items
    assert command.entry not in {act.id for act in acts}
    seen = next(act for act in acts if act.id == mixed.entry)
    assert [change.object_id for change in seen.changes] == [str(chenove[0])]


async def test_a_missing_asset_refuses_the_whole(database: Database, lights: Lights) -> None:
    (light,) = await lights.add(1)
    with pytest.raises(NotFound) as refused:
        await ask(database, wish([light, 2_000_000_000, 2_000_000_001]))
    assert refused.value.params == {"missing": 2, "total": 3}
    rows = await lights.owner.execute(
        "select count(*) from control.target where asset = %s", [light]
    )
    assert await rows.fetchone() == (0,)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "verb": ({"verb": "explode"}, "unknown_verb"),
    "range": ({"params": {"level": 101}}, "bad_params"),
    "no selection": ({"assets": None}, "one_selection_needed"),
    "two selections": ({"filter": "kind:Streetlight"}, "one_selection_needed"),
    "empty box": ({"assets": None, "bbox": (1, 1, 2, 2)}, "no_target"),
    "no box": ({"assets": None, "bbox": (9, 1, 2, 2)}, "bad_bbox"),
    "filter": ({"assets": None, "filter": "colour:blue"}, "bad_filter"),
}


@pytest.mark.parametrize("what", BAD)
async def test_refuses_what_is_wrong(database: Database, lights: Lights, what: str) -> None:
    (light,) = await lights.add(1)
    changed, code = BAD[what]
    asked = msgspec.structs.replace(wish([light]), **changed)
    with pytest.raises(VigieError) as refused:
        await ask(database, asked)
    assert refused.value.code == code


async def test_refuses_equipment_that_cannot(database: Database, lights: Lights) -> None:
    cabinet = await lights.add(1, kind="StreetlightControlCabinet")
    retired = await lights.add(1, retired=True)
    for assets, code in ((cabinet, "verb_not_supported"), (retired, "asset_retired")):
        with pytest.raises(Invalid) as refused:
            await ask(database, wish(assets))
        assert refused.value.code == code


async def test_a_filter_and_a_box_take_what_can(database: Database, lights: Lights) -> None:
    town = "21054"
    able = await lights.add(3, town)
    await lights.add(1, town, kind="StreetlightControlCabinet")
    await lights.add(1, town, retired=True)
    command = await ask(database, wish(None, filter=f"municipality:{town}"))
    assert sorted(await states(database, command)) == able
    command = await ask(database, wish(None, bbox=(5.0, 47.3, 5.1, 47.4)))
    assert set(able) <= set(await states(database, command)) or command.total > 1000


async def test_thirty_four_thousand_in_seconds(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    ids = await lights.add(34_000, "21355")
    await lights.owner.execute("analyze twin.asset")
    took: dict[str, float] = {}

    async def timed(name: str, work: Any) -> Any:
        started = time.perf_counter()
        result = await work
        took[name] = time.perf_counter() - started
        return result

    command = await timed("request", ask(database, wish(None, filter="municipality:21355")))
    assert command.total == 34_000

    async def send_all() -> int:
        total = 0
        while sent := await send_due(runtime):
            total += sent
        return total

    assert await timed("send", send_all()) == 34_000

    async def acks() -> None:
        for start in range(0, len(ids), 2000):
            batch = ids[start : start + 2000]
            await answer(database, *(Ack(command.id, i, "received") for i in batch))
            await answer(database, *(Ack(command.id, i, "done") for i in batch))

    await timed("answers", acks())
    await timed("keep", keep(runtime))
    assert (await read(database, command)).counts["confirmed"] == 34_000
    evidence = [reading(i, 40) for i in ids[:4000]]
    await timed("observe 4000, nothing open", see(database, *evidence))
    print({name: round(value, 2) for name, value in took.items()})
