"""Who is outside a compartment cannot learn that what is in it exists.

Every room's own object (tests/support/compartments) is made behind the backs of two people who may
do everything, but open no compartment: one in the whole city, one where the object is. Whatever
they ask before and after is answered the same: every list, detail, search, count and download;
what they try to do to it fails as it does with what never was; and no live topic stirs.
"""

import io
import json
import re
import zipfile
from typing import Any

import psycopg
import pytest_asyncio
from litestar.routes import HTTPRoute
from sqlalchemy import text as sql

from tests.support.compartments import COMPARTMENT, MUNICIPALITY, Hidden, maker_of
from tests.support.live import live_api
from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie import logbook, places
from vigie.app import every_room
from vigie.core import links
from vigie.core.access.roles import Roles
from vigie.core.objects import Ref
from vigie.core.runtime import Runtime
from vigie.core.scope import Grant, Principal
from vigie.core.web import build_app

# Of the frame: what keeps rows of other rooms, each under its own room's compartment.
OF_OTHERS = {"core.found", "core.found_word", "core.live_touch"}
# They change by themselves: only the words of what is hidden are looked for.
RESTLESS = {"/metrics", "/api/v1/system", "/api/v1/session", "/api/v1/sessions", "/readyz"}
NOBODYS = {"uuid": "01a20000-0000-7000-8000-00000000dead", "int": "1", "str": "nothing"}
WORD = "xylocarpe"
SECRETS = re.compile(rf"{WORD}|{COMPARTMENT}", re.IGNORECASE)
ASSET = """
insert into twin.asset (token, kind, trade, source, source_id, name, municipality, lon, lat,
 mercator) values ('t1', 'Streetlight', 'lighting', 'x', 's1', 'L1', '21231', 5, 47, point(0, 0))
"""


def test_every_room_with_a_compartment_has_a_maker(rooms_with_compartments):
    assert "logbook" in rooms_with_compartments
    for room in rooms_with_compartments:
        maker_of(room)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rooms_with_compartments(owner: psycopg.AsyncConnection) -> list[str]:
    found = await owner.execute(
        "select table_schema || '.' || table_name from information_schema.columns"
        " where column_name = 'compartment'"
    )
    tables = {str(name) for (name,) in await found.fetchall()} - OF_OTHERS
    return sorted(
        room.name
        for room in every_room()
        if any(table.split(".")[0] in room.schemas for table in tables)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(runtime: Runtime, owner: psycopg.AsyncConnection) -> Runtime:
    """A city with one light, a role that may everything, and one that opens the compartment too."""
    await owner.execute(ASSET)
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    runtime.database.zone_of = places.time_zone
    all_of_it = frozenset(p.name for p in runtime.rooms.permissions)
    for role, opened in (("outsider", []), ("insider", [COMPARTMENT])):
        await owner.execute(
            "insert into access.role (name, permissions, compartments, version, changed)"
            " values (%s, %s, %s, 1, now())",
            (role, list(all_of_it), opened),
        )
    await Roles.of(runtime).load()
    return runtime


class Walk:
    """Asks everything there is to ask, as one person."""

    def __init__(self, app: Any, browser: Any) -> None:
        self.browser = browser
        self.routes = [
            (method, route.path, handler.opt["query_names"], handler.opt["permission"])
            for route in app.routes
            if isinstance(route, HTTPRoute)
            for handler in route.route_handlers
            for method in sorted(str(m) for m in handler.http_methods)
            if handler.opt.get("permission") and "oidc" not in route.path
        ]

    async def reads(self, hidden: Hidden | None) -> dict[str, tuple[int, str]]:
        """Address → what it answers; ids of the hidden object, or of nothing, in the addresses."""
        found: dict[str, tuple[int, str]] = {}
        for method, path, query, _ in self.routes:
            if method != "GET":
                continue
            for address in self._addresses(path, hidden):
                asks = [""]
                if "filter" in query:
                    asks.append(f"?filter={WORD}")
                if "q" in query:
                    asks = [f"?q={WORD}", f"?q={WORD[:4]}"]
                if {"type", "id"} <= query:
                    asks = ["?type=twin.asset&id=1"]
                for ask in asks:
                    answer = await self.browser.get(address + ask)
                    assert answer.status_code != 500, (address, answer.text)
                    text = _text(answer)
                    if path in RESTLESS:
                        text = "".join(SECRETS.findall(text))
                    found[_plain(address + ask, hidden)] = answer.status_code, _plain(text, hidden)
        return found

    async def tries(self, hidden: Hidden | None) -> dict[str, tuple[int, str]]:
        """What happens to who tries to change it."""
        found: dict[str, tuple[int, str]] = {}
        for method, path, _, _ in self.routes:
            if method in ("GET", "HEAD", "OPTIONS") or ":uuid}" not in path:
                continue
            for address in self._addresses(path, hidden):
                answer = await self.browser.request(method, address, json={})
                found[f"{method} {_plain(address, hidden)}"] = (
                    answer.status_code,
                    _plain(_text(answer), hidden),
                )
        return found

    async def links(self, hidden: Hidden | None) -> list[tuple[int, str]]:
        """Its links, and linking it to the light."""
        ref = hidden.ref if hidden else Ref("logbook.entry", NOBODYS["uuid"])
        ends = [{"type": ref.type, "id": ref.id}, {"type": "twin.asset", "id": "1"}]
        answers = [
            await self.browser.post("/api/v1/links", json={"from": a, "to": b, "kind": "concerns"})
            for a, b in (ends, ends[::-1])
        ]
        asked = {"type": ref.type, "id": ref.id}
        answers.append(await self.browser.get("/api/v1/links", params=asked))
        return [
            (a.status_code, _plain(_text(a), hidden).replace(ref.type, "TYPE")) for a in answers
        ]

    def _addresses(self, path: str, hidden: Hidden | None) -> list[str]:
        ids = (hidden.ref.id, *hidden.ids) if hidden and ":uuid}" in path else (None,)
        return [
            re.sub(
                r"{\w+:(\w+)}",
                lambda m, i=i: i if i and m.group(1) == "uuid" else NOBODYS[m.group(1)],
                path,
            )
            for i in ids
        ]


def _changed(was: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    return {
        address: (str(was.get(address))[:300], str(now[address])[:900])
        for address in now
        if now[address] != was.get(address)
    }


def _plain(text: str, hidden: Hidden | None) -> str:
    """Without the ids that were asked for: of the hidden object, or of nothing."""
    for one in (hidden.ref.id, *hidden.ids) if hidden else ():
        text = text.replace(one, "ID")
    return text.replace(NOBODYS["uuid"], "ID")


def _text(answer: Any) -> str:
    if answer.headers.get("content-type", "").startswith("application/vnd.openxml"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            return "".join(book.read(n).decode() for n in book.namelist() if "sheet" in n)
    text = answer.text
    if answer.url.path == "/api/v1/journal" and answer.status_code == 200:
        # Who reads personal data is noted: by this very walk.
        acts = [act for act in answer.json()["items"] if not act["act"].endswith("_read")]
        text = json.dumps(acts, separators=(",", ":"))
    return re.sub(r'"(request_id|etag|expires|last_used|last_seen|at)":"[^"]*"', "", text)


async def _make(city: Runtime, room: str) -> Hidden:
    """The room's object, linked to the light, by who may."""
    async with city.database.unit() as unit:
        account = (
            await unit.execute(sql("select id from access.account where username = 'insider'"))
        ).scalar_one()
    who = Principal(account, "insider", "user", (Grant("insider"),))
    scope = city.house.catalogue.scope_for(who, "logbook.write")
    assert scope is not None
    async with city.database.unit(who, scope) as unit:
        hidden = await maker_of(room)(unit, WORD)
        if hidden.ref.type in city.house.part("objects"):
            await links.link(unit, hidden.ref, Ref("twin.asset", "1"), "concerns")
            await links.link(unit, Ref("twin.asset", "1"), hidden.ref, "follows")
    return hidden


async def test_nothing_tells_of_what_is_in_a_compartment(
    city: Runtime, rooms_with_compartments: list[str]
):
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    everywhere = Walk(app, await person(app, city, "everywhere", "outsider"))
    here = Walk(app, await person(app, city, "here", f"outsider@{MUNICIPALITY}"))
    insider = Walk(app, await person(app, city, "insider", "insider"))
    for walk in (everywhere, here, insider):
        # What is made when somebody first comes: their contact.
        await walk.reads(None)
    for room in rooms_with_compartments:
        before = [await walk.reads(None) for walk in (everywhere, here)]
        for walk, was in zip((everywhere, here), before, strict=True):
            again = await walk.reads(None)
            assert _changed(was, again) == {}, "what changes by itself belongs in RESTLESS"
        hidden = await _make(city, room)
        seen = await insider.reads(hidden)
        assert any(WORD in text for _, text in seen.values()), "the insider sees it"
        for walk, was in zip((everywhere, here), before, strict=True):
            now = await walk.reads(hidden)
            assert _changed(was, now) == {}, room
            assert await walk.tries(hidden) == await walk.tries(None), room
            assert await walk.links(hidden) == await walk.links(None), room


async def test_no_live_topic_stirs(city: Runtime, rooms_with_compartments: list[str]):
    topics = sorted(city.house.part("topics"))
    async with live_api(city, every_room()) as api:
        for name, grants in (("live-all", "outsider"), ("live-here", f"outsider@{MUNICIPALITY}")):
            cookie = await api.cookie(name, grants)
            async with api.screen(cookie) as screen:
                await screen.ask("follow", topics=topics)
                await screen.until(lambda s: "logbook.entries" in s.rows)
                for room in rooms_with_compartments:
                    hidden = await _make(city, room)
                    async with city.database.unit() as unit:
                        mark = await logbook.write(
                            unit,
                            logbook.WriteEntry(text="for everyone", municipality=MUNICIPALITY),
                        )
                    await screen.until(
                        lambda s, mark=mark: str(mark.id) in s.rows["logbook.entries"]
                    )
                    heard = str(screen.frames)
                    assert not SECRETS.search(heard), room
                    assert not any(i in heard for i in (hidden.ref.id, *hidden.ids)), room
