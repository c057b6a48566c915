"""The door: whose pages may send requests, and what the part of a city may know of the whole."""

import asyncio
import contextlib
import shutil
import time
from collections import namedtuple

import msgspec
import pytest

from tests.support.web import client, person
from vigie.core.access import PERMISSIONS, Permission
from vigie.core.access.api import ROUTES
from vigie.core.database import Database
from vigie.core.runtime import Component, Runtime
from vigie.core.web import build_app, system
from vigie.core.web.system import Said, SystemState, Watch

SEE = Permission("core.system", "See.", ("administrator", "operator", "viewer", "auditor"))
REFUSED = {"username": "No Spaces", "display_name": "x"}


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, [*ROUTES, *system.ROUTES], [*PERMISSIONS, SEE])


@pytest.fixture(scope="module")
async def boss(app, runtime):
    return await person(app, runtime, "boss", "administrator")


async def _program(browser, app, permission):
    """The same person's API token, in a program on this machine."""
    wanted = {"name": "program", "permissions": [permission]}
    made = (await browser.post("/api/v1/tokens", json=wanted)).json()
    program = client(app)
    program.headers["Authorization"] = f"Bearer {made['token']}"
    return program


@pytest.mark.parametrize(
    ("base", "origin", "ours"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("http://127.0.0.1:8080", "HTTP://127.0.0.1:8080", True),
        ("http://127.0.0.1:8080", "https://127.0.0.1:8080", False),
        ("http://127.0.0.1:8080", "ftp://127.0.0.1:8080", False),
        ("http://127.0.0.1:8080", "//127.0.0.1:8080", False),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", False),
        ("http://127.0.0.1:8080", "http://127.0.0.1", False),
        ("http://127.0.0.1:8080", "http://[127.0.0.1:8080", False),
        ("http://127.0.0.1:8080", "http://127.0.0.1:99999999", False),
        ("http://127.0.0.1:8080", "null", False),
        ("http://127.0.0.1:8080", "", False),
        ("https://localhost", "https://localhost", True),
        ("https://localhost", "https://localhost:443", True),
        ("https://localhost", "http://localhost", False),
        ("https://localhost", "http://localhost:443", False),
    ],
)
async def test_only_pages_of_our_own_scheme_host_and_port(app, runtime, base, origin, ours):
    credentials = {"username": "nobody", "password": "guess"}
    address = f"198.18.{len(base)}.{len(origin)}"
    if not base.startswith("https"):
        address = "127.0.0.1"
    async with client(app, base=base, address=address) as browser:
        answer = await browser.post("/api/v1/session", json=credentials, headers={"Origin": origin})
    if ours:
        assert answer.status_code in (401, 429), answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


async def test_figures_of_the_whole_city_are_for_who_audits_the_whole_city(app, runtime):
    for name, grant, allowed in [
        ("city-auditor", "auditor", True),
        ("town-auditor", "auditor@21231", False),
        ("trade-auditor", "auditor@*/lighting", False),
        ("town-boss", "administrator@21231", False),
    ]:
        browser = await person(app, runtime, name, grant)
        for asking in (browser, await _program(browser, app, "core.metrics")):
            answer = await asking.get("/metrics")
            assert answer.status_code == (200 if allowed else 403), (name, answer.text)
            if not allowed:
                assert answer.json()["code"] == "whole_city_only"
                assert "vigie_http" not in answer.text
    async with client(app) as prometheus:
        assert (await prometheus.get("/metrics")).status_code == 200


async def test_who_says_their_name_on_this_machine_is_judged_by_it(app, runtime):
    viewer = await person(app, runtime, "a-viewer", "viewer")
    assert (await viewer.get("/metrics")).json()["code"] == "not_permitted"
    async with client(app) as stranger:
        stranger.headers["Authorization"] = "Bearer vgt_no"
        assert (await stranger.get("/metrics")).status_code == 401


async def test_the_system_page_of_a_part_tells_no_figures_of_the_whole(app, runtime):
    watch = Watch(runtime, ("gateways",))
    said = Said(
        "gateways",
        "abc",
        1,
        "",
        [
            Component("admission", "ok", "", {"bytes": 123456, "limit": 2_000_000}, "2026-01-01"),
            Component("presence", "degraded", "no_system_account", {"online": 34_017}, ""),
        ],
    )
    watch.heard["abc"] = (time.monotonic() + 300, said)
    for name, grant in [("town-eye", "auditor@21231"), ("town-desk", "operator@21231/lighting")]:
        browser = await person(app, runtime, name, grant)
        answer = await browser.get("/api/v1/system")
        assert answer.status_code == 200
        for figure in ("123456", "2000000", "34017"):
            assert figure not in answer.text
        shown = answer.json()
        assert set(shown) == {"status", "components", "admission", "versions"}
        assert shown["admission"] == {"open": True, "code": ""}
        assert [(c["name"], c["status"], c["code"]) for c in shown["components"]] == [
            ("admission", "ok", ""),
            ("presence", "degraded", "no_system_account"),
        ]
    whole = await person(app, runtime, "whole-eye", "auditor")
    told = msgspec.json.decode((await whole.get("/api/v1/system")).content, type=SystemState)
    assert told.admission.stream_bytes == 123456
    assert told.components[1].params == {"online": 34_017}
    assert isinstance(told.disk_free_bytes, int)


async def test_a_stranger_may_ask_for_the_methods_of_an_address(app):
    async with client(app) as stranger:
        answer = await stranger.options("/api/v1/users")
    assert answer.status_code == 204


async def test_two_names_of_one_host_are_none(app):
    async with client(app) as stranger:
        two = [("Host", "elsewhere.example"), ("Host", "127.0.0.1:8080")]
        answer = await stranger.get("/healthz", headers=two)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")


async def test_all_who_ask_whether_it_is_ready_share_one_connection(app, monkeypatch):
    unit, held, most = Database.unit, 0, 0

    @contextlib.asynccontextmanager
    async def counted(self, *arguments, **named):
        nonlocal held, most
        held += 1
        most = max(most, held)
        try:
            async with unit(self, *arguments, **named) as opened:
                await asyncio.sleep(0.05)
                yield opened
        finally:
            held -= 1

    monkeypatch.setattr(Database, "unit", counted)
    async with client(app) as stranger:
        answers = await asyncio.gather(*(stranger.get("/readyz") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert most == 1


async def test_not_ready_when_the_disk_is_full(app, monkeypatch):
    usage = namedtuple("usage", "total used free")

    def disk(free: int):
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 10**12 - free, free))

    async with client(app) as probe:
        disk(300 * 2**20)
        answer = await probe.get("/readyz")
        assert (answer.status_code, answer.json()["disk"]) == (200, "ok")
        disk(200 * 2**20)
        answer = await probe.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "down", "database": "ok", "bus": "ok", "disk": "full"}

        def gone(_path: object) -> None:
            raise FileNotFoundError

        monkeypatch.setattr(shutil, "disk_usage", gone)
        answer = await probe.get("/readyz")
        assert (answer.status_code, answer.json()["disk"]) == (503, "unreadable")
