"""What a request may cost: times, numbers and bodies within bounds, statements that end."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.support.web import client, person
from vigie.core.database import Database, Unit
from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime, database_url
from vigie.core.web import ANY_LOGIN, PUBLIC, Limit, build_app, get, post


class Sheet(msgspec.Struct, forbid_unknown_fields=True):
    """A body that holds anything."""

    anything: Any = None
    level: int = 0


class Seen(msgspec.Struct):
    """An answer."""

    value: str


@get("/between", permission=PUBLIC)
async def between(from_: datetime | None = None, to: datetime | None = None) -> Seen:
    """Two times."""
    return Seen(str(to - from_) if from_ and to else "")


@get("/things/{thing:int}", permission=PUBLIC)
async def read_thing(thing: int, offset: int = 0, limit: Limit = 1) -> Seen:
    """A number."""
    return Seen(str(thing))


@post("/sheets", permission=PUBLIC)
async def write_sheet(data: Sheet) -> Seen:
    """Anything."""
    return Seen("")


@get("/slow/{marker:str}", permission=ANY_LOGIN)
async def slow(unit: Unit, marker: str) -> Seen:
    """Waits in the database."""
    await unit.execute(text(f"select pg_sleep(30) as {marker}"))
    return Seen("")


@post("/act/{marker:str}", permission=ANY_LOGIN)
async def act(unit: Unit, marker: str) -> Seen:
    """Waits a little in the database, then has done something."""
    await unit.execute(text(f"select pg_sleep(0.3) as {marker}"))
    await unit.execute(
        text("insert into core.leader values (:name, 1, 'x', now())"), {"name": marker}
    )
    return Seen("")


@get("/quick", permission=ANY_LOGIN)
async def quick(unit: Unit) -> Seen:
    """Reads something."""
    return Seen(str((await unit.execute(text("select 1"))).scalar_one()))


ROUTES = [between, read_thing, write_sheet, slow, act, quick]


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, [])


@pytest.fixture
async def browser(app):
    async with client(app) as made:
        yield made


@pytest.mark.parametrize(
    ("address", "status", "field", "code"),
    [
        ("from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00%2B01:00", 200, None, None),
        ("from=2026-11-23T00:00:00&to=2026-11-24T00:00:00Z", 422, "from", "no_offset"),
        ("from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00", 422, "to", "no_offset"),
        ("from=2026-11-23T00:00:00&to=2026-11-24T00:00:00", 422, "from", "no_offset"),
        ("from=0001-01-01T00:00:00%2B14:00", 422, "from", "out_of_range"),
        ("from=9999-12-31T23:59:59-12:00", 422, "from", "out_of_range"),
        ("from=yesterday", 422, "from", "invalid"),
    ],
)
async def test_a_time_names_its_offset(browser, address, status, field, code):
    answer = await browser.get(f"/api/v1/between?{address}")
    assert answer.status_code == status, answer.text
    if field:
        assert answer.json()["errors"][0]["field"] == field
        assert answer.json()["errors"][0].get("code", "invalid") == code


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/things/9223372036854775807", 200),
        ("/things/9223372036854775808", 422),
        ("/things/-9223372036854775809", 422),
        ("/things/1?offset=99999999999999999999", 422),
        ("/things/" + "9" * 5000, 404),
        ("/things/1?offset=" + "9" * 5000, 422),
    ],
)
async def test_numbers_are_of_a_size_the_database_knows(browser, address, status):
    assert (await browser.get(f"/api/v1{address}")).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"anything": ' + b"[" * 30 + b"]" * 30 + b"}", 200),
        (b'{"anything": [' + b"[],{}," * 500 + b"1]}", 200),
        (b'{"anything": "' + b"[" * 5000 + b'"}', 200),
        (b'{"anything": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
        (b'{"anything": ' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}", 400),
        (b'{"anything": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
        (b'{"anything": ' + b"[" * 200_000, 400),
        (b'{"level": 1' + b"0" * 400_000 + b"}", 422),
        (b'{"anything": 1e' + b"9" * 100_000 + b"}", 422),
    ],
)
async def test_bodies_are_not_deep_nor_their_numbers_long(browser, body, status):
    headers = {"Content-Type": "application/json"}
    answer = await browser.post("/api/v1/sheets", content=body, headers=headers)
    assert answer.status_code == status, answer.text[:300]


async def test_a_statement_ends_after_the_time_it_may_take(runtime, owner):
    quick_to_end = Runtime(
        msgspec.structs.replace(runtime.settings, request_timeout_s=0.2),
        "test", runtime.database, runtime.bus,
    )  # fmt: skip
    app = build_app(quick_to_end, ROUTES, [])
    async with await person(app, quick_to_end, "patience", "viewer") as browser:
        answer = await browser.get("/api/v1/slow/limited")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_timed_out")
    assert answer.headers["retry-after"]
    assert not await running(owner, "limited")


async def test_the_statement_of_a_client_that_left_is_stopped(app, runtime, owner):
    async with await person(app, runtime, "leaver", "viewer") as browser:
        cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    gone = asyncio.Event()
    sent: list[Any] = []
    asked = asyncio.create_task(raw(app, "GET", "/api/v1/slow/abandoned", cookies, gone, sent))
    await until(owner, "abandoned")
    gone.set()
    async with asyncio.timeout(10):
        await asked
    assert not await running(owner, "abandoned")


async def test_an_act_goes_through_though_its_client_left(app, runtime, owner):
    async with await person(app, runtime, "actor", "viewer") as browser:
        cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
        csrf = browser.headers["X-CSRF-Token"]
    gone = asyncio.Event()
    asked = asyncio.create_task(raw(app, "POST", "/api/v1/act/kept_on", cookies, gone, [], csrf))
    await until(owner, "kept_on")
    gone.set()
    await asked
    found = await owner.execute("select 1 from core.leader where name = 'kept_on'")
    assert await found.fetchone()


async def test_one_person_takes_a_share_of_the_connections(runtime, owner, settings):
    lanes = Database(database_url(settings), pool=2, screens=4, pool_wait_s=0.3)
    own = Runtime(runtime.settings, "test", lanes, runtime.bus)
    try:
        app = build_app(own, ROUTES, [])
        async with (
            await person(app, own, "greedy", "viewer") as greedy,
            await person(app, own, "modest", "viewer") as modest,
        ):
            held = [asyncio.create_task(greedy.get(f"/api/v1/slow/greedy_{i}")) for i in range(4)]
            await until(owner, "greedy_", 2)
            assert (await modest.get("/api/v1/quick")).status_code == 200
            refused = await greedy.get("/api/v1/quick")
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
            assert refused.headers["retry-after"]
            done = [answer for answer in held if answer.done()]
            assert {answer.result().status_code for answer in done} <= {429}
            await owner.execute(
                "select pg_cancel_backend(pid) from pg_stat_activity"
                " where query like '%greedy\\_%' and pid <> pg_backend_pid()"
            )
            await asyncio.gather(*held)
            assert (await greedy.get("/api/v1/quick")).status_code == 200
    finally:
        await lanes.close()


async def raw(
    app: Any, method: str, path: str, cookies: str, gone: asyncio.Event, sent: list[Any],
    csrf: str = "",
) -> None:  # fmt: skip
    """A request whose client leaves when `gone` says so."""
    begun = False

    async def receive() -> dict[str, Any]:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(
        {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "client": ("127.0.0.1", 50123), "server": ("127.0.0.1", 8080),
            "headers": [
                (b"host", b"127.0.0.1:8080"), (b"cookie", cookies.encode()),
                (b"x-csrf-token", csrf.encode()),
            ],
            "state": {},
        },
        receive,
        send,
    )  # fmt: skip


async def until(owner: Any, marker: str, count: int = 1) -> None:
    async with asyncio.timeout(10):
        while await running(owner, marker) < count:
            await asyncio.sleep(0.02)


async def running(owner: Any, marker: str) -> int:
    found = await owner.execute(
        "select count(*) from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()"
        " and query like %s",
        [f"%{marker}%"],
    )
    return (await found.fetchone())[0]


async def test_the_api_role_has_lanes_and_a_limit_on_every_statement(settings):
    limited = msgspec.structs.replace(settings, request_timeout_s=0.2, database_screens_pool=3)
    process = await Runtime.open(limited, "api")
    try:
        database = process.database
        assert [database.room(lane) for lane in ("acts", "screens", "exports")] == [6, 3, 2]
        with pytest.raises(Unavailable) as error:
            async with database.unit() as unit:
                await unit.execute(text("select pg_sleep(30)"))
        assert error.value.code == "database_timed_out"
    finally:
        await process.close()
