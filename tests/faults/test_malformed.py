"""A hundred malformed inputs: each ends as its table says, and valid traffic beside is untouched.

The tables are in tests/support/malformed.py.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import psycopg
import pytest_asyncio
from sqlalchemy import text

from tests.conftest import Engines
from tests.support import malformed
from tests.support.mqtt import connect, issue, running
from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person, serving
from vigie.app import ingest as ingest_role
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.core.web import build_app
from vigie.gateways.clients.model import Issued
from vigie.gateways.mqtt import MqttGateway
from vigie.gateways.mqtt.wire import Connection, Refused

LAMPS = """
insert into twin.asset (token, kind, trade, source, source_id, municipality, lon, lat, mercator)
select token, 'Streetlight', 'lighting', 'test', token, '21231', 5, 47.3, point(0, 0)
from unnest(array['lampGood', 'lampBad']) as token returning id
"""


@dataclass
class Street:
    """One client that behaves and one that does not."""

    runtime: Runtime
    gateway: MqttGateway
    good: Issued
    bad: Issued
    acknowledged: list[int] = field(default_factory=list)
    logins: int = 0

    async def behave(self) -> None:
        """Send a valid reading twenty times a second, whatever the neighbour does."""
        topic = f"up/{self.good.shard}/{self.good.token}/reading"
        async with await connect(self.runtime, self.good) as connection:
            self.logins += 1
            number = 0
            while True:
                payload = malformed.reading("lampGood", n=number)
                await connection.publish(topic, payload, number % 60_000 + 1)
                self.acknowledged.append(number)
                number += 1
                await asyncio.sleep(0.05)

    async def counted(self, source: str) -> dict[str, int]:
        """What was refused of a client, by reason."""
        await self.gateway.refusals.flush()
        async with self.runtime.database.unit() as unit:
            rows = await unit.execute(
                text("select code, sum(total)::int as n from gateways.tally"
                     " where source = :source and place = 'broker' group by code"),
                {"source": source},
            )  # fmt: skip
            return {row.code: row.n for row in rows}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(
    runtime: Runtime, engines: Engines, owner: psycopg.AsyncConnection
) -> AsyncIterator[Street]:
    rows = await (await owner.execute(LAMPS)).fetchall()
    async with running(runtime, engines.nats.log) as gateway:
        good = await issue(runtime, gateway, "good", [rows[0][0]])
        bad = await issue(runtime, gateway, "bad", [rows[1][0]])
        made = Street(runtime, gateway, good, bad)
        tasks = [asyncio.create_task(service()) for service in ingest_role(runtime).values()]
        tasks.append(asyncio.create_task(made.behave()))
        try:
            yield made
        finally:
            await end(tasks)


async def test_there_are_a_hundred() -> None:
    count = (
        len(malformed.payloads())
        + len(malformed.abuses("me", "other", 0))
        + len(malformed.logins("me", "secret", "other"))
        + len(malformed.calls())
    )
    assert count >= 100


async def test_payloads_end_in_quarantine_with_their_reason(street: Street) -> None:
    cases = malformed.payloads()
    bad = street.bad
    async with await connect(street.runtime, bad) as connection:
        for number, case in enumerate(cases):
            topic = f"up/{bad.shard}/{bad.token}/{case.channel}"
            await connection.publish(topic, case.body, number + 1)
    expected = [(case.name, code) for case in cases for code in case.codes]
    rows = await quarantined(street, len(expected))
    names = [name for name, _ in expected]
    assert list(zip(names, [row.code for row in rows], strict=True)) == expected
    for row in rows:
        assert len(row.payload) <= 4096
        assert row.municipality == "21231"
    # The good reading inside the mixed batch was stored.
    async with street.runtime.database.unit() as unit:
        stored = await unit.execute(
            text("select n from twin.history h join twin.asset a on a.id = h.device"
                 " where a.token = 'lampBad'")
        )  # fmt: skip
        assert [row.n for row in stored] == [77]


async def quarantined(street: Street, count: int) -> list[object]:
    async with asyncio.timeout(20):
        while True:
            async with street.runtime.database.unit() as unit:
                rows = (
                    await unit.execute(
                        text("select * from gateways.quarantine where source = :s order by id"),
                        {"s": street.bad.token},
                    )
                ).all()
            if len(rows) >= count:
                return list(rows)
            await asyncio.sleep(0.1)


async def test_the_broker_refuses_what_is_not_the_clients(street: Street) -> None:
    bad, good = street.bad, street.good
    async with asyncio.timeout(10):
        while street.gateway.broker_log._file is None:
            await asyncio.sleep(0.05)
    told: list[tuple[str, str, str]] = []
    cases = malformed.abuses(bad.token, good.token, bad.shard)
    for case in cases:
        before = await street.counted(bad.token)
        async with await connect(street.runtime, bad) as connection:
            with contextlib.suppress(OSError):
                connection.writer.write(case.body)
                await connection.writer.drain()
            seen = await experience(connection)
        told.append((case.name, seen, await reason(street, before)))
    assert told == [(case.name, case.seen, case.code) for case in cases]


async def experience(connection: Connection) -> str:
    """What the client notices of its refusal."""
    connection.writer.write(b"\xc0\x00")  # PINGREQ: an answer means the line still stands
    seen = "ignored"
    try:
        while True:
            kind, body = await asyncio.wait_for(connection.receive(), 5)
            if kind == 0x90 and body[2:] == b"\x80":
                seen = "refused"
            if kind == 0xD0:
                return seen
    except OSError:
        return "closed"


async def reason(street: Street, before: dict[str, int]) -> str:
    """The reason that was counted since."""
    for _ in range(100):
        now = await street.counted(street.bad.token)
        more = [code for code, total in now.items() if total > before.get(code, 0)]
        if more:
            return "+".join(sorted(more))
        await asyncio.sleep(0.05)
    return ""


async def test_logins_that_fail(street: Street) -> None:
    for case in malformed.logins(street.bad.token, street.bad.secret, street.good.token):
        before = {key: count[0] for key, count in street.gateway.refusals._counts.items()}
        await street.gateway.refusals.flush()
        try:
            await Connection.open(
                "127.0.0.1",
                street.runtime.settings.mqtt_port,
                case.client,
                case.password,
                user=case.user,
            )
            raise AssertionError(f"{case.name}: let in")
        except (Refused, OSError):
            pass
        codes = {code for _, _, code in street.gateway.refusals._counts}
        assert (case.code in codes) or not case.code, (case.name, codes, before)


async def test_http_answers_with_a_problem(street: Street) -> None:
    app = build_app(street.runtime, ROUTES, PERMISSIONS, ROLES)
    told: list[object] = []
    cases = malformed.calls()
    async with serving(app):
        browser = await person(app, street.runtime, "admin", "administrator")
        for case in cases:
            answer = await browser.request(
                case.method,
                "/api/v1" + case.path,
                content=case.body,
                headers=dict(case.headers),
            )
            problem = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert problem["type"] == f"urn:vigie:problem:{problem['code']}"
            told.append((case.method, case.path, answer.status_code, problem["code"]))
    assert told == [(case.method, case.path, case.status, case.code) for case in cases]


async def test_valid_traffic_beside_was_untouched(street: Street) -> None:
    """Last in this file: one login for the whole time, each acknowledged reading stored once."""
    acknowledged = list(street.acknowledged)
    assert street.logins == 1
    assert len(acknowledged) > 20
    async with asyncio.timeout(10):
        while True:
            async with street.runtime.database.unit() as unit:
                rows = await unit.execute(
                    text("select n from twin.history h join twin.asset a on a.id = h.device"
                         " where a.token = 'lampGood' order by n")
                )  # fmt: skip
                stored = [row.n for row in rows]
            if set(acknowledged) <= set(stored):
                break
            await asyncio.sleep(0.1)
    assert len(stored) == len(set(stored))
