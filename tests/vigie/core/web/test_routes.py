"""What every declared route gets for free: parsing, units of work, problems, ETags."""

import asyncio

import msgspec
import pytest
from sqlalchemy import text

from tests.support.web import client
from vigie.core.database import Unit
from vigie.core.errors import NotFound, TooMany, Unavailable
from vigie.core.runtime import Runtime
from vigie.core.web import (
    PUBLIC,
    IdempotencyKey,
    IfMatch,
    Limit,
    Page,
    Permission,
    Tagged,
    build_app,
    get,
    post,
)


class Sheet(msgspec.Struct, forbid_unknown_fields=True):
    """A body."""

    level: int
    points: list[float] = []
    name: str = ""


class Loose(msgspec.Struct):
    """A body that would let typing errors through."""

    level: int


class Seen(msgspec.Struct):
    """An answer."""

    value: int


@get("/things/{thing:int}", permission=PUBLIC)
async def read_thing(
    unit: Unit,
    thing: int,
    factor: float = 1.0,
    limit: Limit = 100,
    from_: str | None = None,
) -> Tagged[Seen]:
    """Read a thing."""
    return Tagged(Seen((await unit.execute(text("select 40 + 2"))).scalar_one() + thing), "7")


@post("/sheets", permission=PUBLIC, status=201)
async def write_sheet(
    data: Sheet, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Page[Seen]:
    """Write a sheet."""
    return Page([Seen(data.level)])


@post("/store", permission=PUBLIC)
async def store(unit: Unit, data: Sheet) -> Seen:
    """Store, then fail above 100."""
    await unit.execute(
        text("insert into core.leader values (:name, 1, 'x', now())"), {"name": data.name}
    )
    if data.level > 100:
        raise NotFound("no_such_level", "There is no such level.", {"level": data.level})
    return Seen(data.level)


@get("/fail/{how:str}", permission=PUBLIC)
async def fail(unit: Unit, how: str) -> None:
    """Fail in one of several ways."""
    if how == "rate":
        raise TooMany("too_many", "Wait.", retry_after_s=2.4)
    if how == "away":
        raise Unavailable("bus_unavailable", "NATS is away.", retry_after_s=1)
    if how == "backend":
        await unit.execute(text("set local idle_in_transaction_session_timeout = 20"))
        await asyncio.sleep(0.2)
        await unit.execute(text("select 1"))
    if how == "data":
        await unit.execute(text("select cast(:n as int)"), {"n": "99999999999"})
    raise RuntimeError("the password is hunter2")


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, [read_thing, write_sheet, store, fail], [])


@pytest.fixture
async def browser(app):
    async with client(app) as made:
        yield made


async def test_an_answer_carries_its_etag_and_is_not_sent_twice(browser):
    first = await browser.get("/api/v1/things/0?from=x&limit=5")
    assert (first.status_code, first.json()) == (200, {"value": 42})
    assert first.headers["etag"] == '"7"'
    for asked in ('"7"', 'W/"7"', '"1", "7"'):
        again = await browser.get("/api/v1/things/0", headers={"If-None-Match": asked})
        assert (again.status_code, again.content) == (304, b"")
    other = await browser.get("/api/v1/things/0", headers={"If-None-Match": '"8"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("address", "status", "field", "code"),
    [
        ("/things/x", 404, None, None),
        ("/things/1?factor=nan", 422, "factor", "not_finite"),
        ("/things/1?factor=inf", 422, "factor", "not_finite"),
        ("/things/1?factor=z", 422, "factor", "invalid"),
        ("/things/1?limit=0", 422, "limit", "invalid"),
        ("/things/1?limit=1001", 422, "limit", "invalid"),
        ("/things/1?limi=1", 422, "limi", "unknown_parameter"),
        ("/things/1?from=%00", 400, None, None),
        ("/nothing", 404, None, None),
    ],
)
async def test_addresses_that_are_wrong(browser, address, status, field, code):
    answer = await browser.get("/api/v1" + address)
    problem = answer.json()
    assert answer.status_code == status == problem["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"] == f"urn:vigie:problem:{problem['code']}"
    if field:
        assert problem["errors"][0]["field"] == field
        assert problem["errors"][0].get("code", "invalid") == code


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"level": 1}', 201, None),
        (b'{"level": "1"}', 422, "level"),
        (b'{"level": 1.5}', 422, "level"),
        (b'{"level": 1, "points": [1, "x"]}', 422, "points[1]"),
        (b'{"level": 1, "points": [1e999]}', 422, "points[0]"),
        (b'{"level": 1, "levle": 1}', 422, "$"),
        (b'{"name": "x"}', 422, "$"),
        (b"[]", 422, "$"),
        (b"null", 422, "$"),
        (b"", 422, "$"),
        (b'{"level": NaN}', 400, None),
        (b'{"level"', 400, None),
        (b'{"level": 1}{}', 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"level": 1, "name": "\xff"}', 400, None),
        (b'{"level": 1, "name": "\\ud800"}', 400, None),
        (b"[" * 100_000, 422, "$"),
        (b'{"level": 1, "name": "' + b"x" * 1_000_000 + b'"}', 413, None),
    ],
)
async def test_bodies_that_are_wrong(browser, body, status, field):
    answer = await browser.post(
        "/api/v1/sheets", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    if status != 201:
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.content) < 2000
    if field:
        assert answer.json()["errors"][0]["field"] == field


async def test_a_body_without_a_length_is_limited_too(browser):
    async def endless():
        for _ in range(40):
            yield b"x" * 50_000

    answer = await browser.post(
        "/api/v1/sheets", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_other_forms_and_methods(browser):
    form = await browser.post("/api/v1/sheets", data={"level": "1"})
    assert (form.status_code, form.json()["code"]) == (415, "not_json")
    method = await browser.put("/api/v1/sheets", json={})
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in method.headers["allow"]


async def test_a_verb_that_raises_leaves_nothing(browser, database):
    kept = await browser.post("/api/v1/store", json={"level": 1, "name": "kept"})
    assert kept.status_code == 200
    gone = await browser.post("/api/v1/store", json={"level": 101, "name": "gone"})
    assert gone.json()["params"] == {"level": 101}
    nul = await browser.post("/api/v1/store", json={"level": 1, "name": "nul\0"})
    assert (nul.status_code, nul.json()["code"]) == (422, "value_out_of_range")
    async with database.unit() as unit:
        names = (await unit.execute(text("select name from core.leader"))).scalars().all()
    assert "kept" in names
    assert "gone" not in names


async def test_failures_say_nothing_of_our_insides(browser, capsys):
    broken = await browser.get("/api/v1/fail/unexpected", headers={"X-Request-Id": "abcd-1234"})
    assert broken.status_code == 500
    assert broken.json()["request_id"] == "abcd-1234"
    assert "hunter2" not in broken.text
    rate = await browser.get("/api/v1/fail/rate")
    assert (rate.status_code, rate.headers["retry-after"]) == (429, "2")
    away = await browser.get("/api/v1/fail/away")
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    killed = await browser.get("/api/v1/fail/backend")
    assert (killed.status_code, killed.json()["code"]) == (503, "database_unavailable")
    data = await browser.get("/api/v1/fail/data")
    assert data.status_code == 422


async def test_request_ids_are_sane(browser):
    kept = await browser.get("/healthz", headers={"X-Request-Id": "trace.2026-11_23"})
    assert kept.headers["x-request-id"] == "trace.2026-11_23"
    for odd in ("short", "x" * 65, "with space", "<script>alert</script>"):
        made = await browser.get("/healthz", headers={"X-Request-Id": odd})
        assert made.headers["x-request-id"] != odd
        assert len(made.headers["x-request-id"]) == 36


def test_a_route_without_a_known_permission_does_not_start(runtime):
    import litestar

    @litestar.get("/bare")
    async def bare() -> None: ...

    with pytest.raises(ValueError, match="declares no permission"):
        build_app(runtime, [bare], [])

    @get("/stranger", permission="no.such")
    async def stranger() -> None: ...

    with pytest.raises(ValueError, match="no room declares"):
        build_app(runtime, [stranger], [])


def test_faulty_declarations_do_not_start(runtime):
    with pytest.raises(TypeError, match="forbid_unknown_fields"):

        @post("/loose", permission=PUBLIC)
        async def loose(data: Loose) -> None: ...

    with pytest.raises(TypeError, match="state_"):

        @get("/reserved", permission=PUBLIC)
        async def reserved(state: str) -> None: ...

    twice = Permission("a.read", "", ("viewer",))
    for faulty in ([twice, twice], [Permission("read", "", ())], [Permission("a.b", "", ("x",))]):
        with pytest.raises(ValueError):
            build_app(runtime, [], faulty)
