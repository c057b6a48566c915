"""Topics of rows on the live WebSocket: who sees what, and what happens when something is lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed

from tests.support.live import Api, Screen, live_api
from tests.support.web import account
from tests.vigie.core.live import trial
from tests.vigie.core.live.trial import NOTES, write
from vigie.app import every_room
from vigie.core import live
from vigie.core.access import users
from vigie.core.access.logins import Logins
from vigie.core.access.model import GrantInput, UserPatch
from vigie.core.live import api as socket_api
from vigie.core.live.hub import Hub
from vigie.core.rooms import Rooms
from vigie.core.runtime import Runtime

ROOMS = Rooms([*every_room(), trial.ROOM])
DIJON, QUETIGNY = "21231/lighting", "21515/lighting"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(runtime: Runtime, owner: psycopg.AsyncConnection) -> AsyncIterator[Api]:
    await owner.execute(trial.CREATE)  # type: ignore[arg-type]
    async with live_api(runtime, ROOMS) as made:
        await account(runtime.database, "chief", "administrator")
        yield made


async def note(api: Api, name: str, body: str, **options: Any) -> None:
    async with api.process.database.unit() as unit:
        await write(unit, name, body, **options)


def bodies(screen: Screen) -> dict[str, str]:
    return {id_: row["body"] for id_, row in screen.rows.get(NOTES, {}).items()}


def shows(name: str, body: str | None) -> Any:
    return lambda screen: NOTES in screen.rows and bodies(screen).get(name) == body


@contextlib.asynccontextmanager
async def following(api: Api, username: str, *grants: str) -> AsyncIterator[Screen]:
    cookie = await api.cookie(username, *grants)
    async with api.screen(cookie) as screen:
        await screen.ask("follow", topics=[NOTES])
        await screen.until(lambda s: NOTES in s.rows)
        yield screen


async def test_open_rows_then_changes(api: Api) -> None:
    await note(api, "a", "first")
    async with following(api, "ada", "operator") as screen:
        assert screen.frames[0]["op"] == "hello"
        await screen.until(shows("a", "first"))
        await note(api, "b", "second")
        await screen.until(shows("b", "second"))
        await note(api, "a", "changed")
        await screen.until(shows("a", "changed"))
        await note(api, "b", "over", open_=False)
        await screen.until(shows("b", None))
        await note(api, "b", "changed after its end", open_=False)
        await screen.until(lambda s: ["b"] in s.hints)
        assert len([i for i in screen.items() if i["op"] == "rows"]) == 1, "never anew"


async def test_each_topic_by_its_own_permission_and_scope(api: Api) -> None:
    await note(api, "here", "x", scope=DIJON)
    await note(api, "there", "x", scope=QUETIGNY)
    async with following(api, "bea", f"operator@{DIJON}") as screen:
        await screen.until(shows("here", "x"))
        await note(api, "there", "y", scope=QUETIGNY)
        await note(api, "there", "closed", scope=QUETIGNY, open_=False)
        await note(api, "here", "y", scope=DIJON)
        await screen.until(shows("here", "y"))
        assert "there" not in bodies(screen)
        assert not [hint for hint in screen.hints if hint is None or "there" in hint]
        await note(api, "here", "moved", scope=QUETIGNY)
        await screen.until(shows("here", None))
    cookie = await api.cookie("carl", "viewer")
    async with api.screen(cookie) as screen:
        await screen.ask("follow", topics=[NOTES, "core.system", "no.such"])
        await screen.until(lambda s: len(s.errors()) == 2 and "core.system" in s.rows)
        assert {e["topic"] for e in screen.errors()} == {NOTES, "no.such"}
        assert {e["code"] for e in screen.errors()} == {"not_found"}
        await screen.ask("resync", topic=NOTES)
        await screen.until(lambda s: len(s.errors()) == 3)


async def test_a_step_missed_is_asked_anew(api: Api) -> None:
    await note(api, "resync", "x")
    async with following(api, "cleo", "operator") as screen:
        screen.rows[NOTES] = {"never": {"body": "was"}}
        await screen.ask("resync", topic=NOTES)
        await screen.until(shows("resync", "x"))
        assert "never" not in bodies(screen)


async def regrant(api: Api, username: str, *grants: GrantInput) -> None:
    """What an administrator does."""
    async with api.process.database.unit() as unit:
        found = text("select id from access.account where username = :name")
        user = (await unit.execute(found, {"name": username})).scalar_one()
        patch = UserPatch(grants=list(grants))
        await users.update_user(unit, Logins.of(api.process), UUID(str(user)), patch)


async def test_a_narrowed_grant_leaves_the_screen_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_api, "_STILL_EVERY_S", 600.0)
    await note(api, "kept", "x", scope=DIJON)
    await note(api, "lost", "x", scope=QUETIGNY)
    async with following(api, "dora", "operator") as screen:
        await screen.until(shows("lost", "x"))
        await regrant(api, "dora", GrantInput(role="operator", municipality="21231"))
        await screen.until(shows("lost", None))
        assert bodies(screen)["kept"] == "x"
        await note(api, "lost", "y", scope=QUETIGNY)
        await note(api, "kept", "y", scope=DIJON)
        await screen.until(shows("kept", "y"))
        assert "lost" not in bodies(screen)
        await regrant(api, "dora", GrantInput(role="viewer"))
        await screen.until(lambda s: NOTES not in s.rows)
        assert {"op": "drop", "topic": NOTES} in screen.items()


async def test_a_lost_hint_is_harmless(api: Api) -> None:
    async with following(api, "elsa", "operator") as screen:
        async with api.process.database.unit() as unit:
            unit._waker = None  # type: ignore[assignment]
            await write(unit, "unheard", "x")
        await screen.until(shows("unheard", "x"), 10)


async def test_two_processes_show_the_same(api: Api, runtime: Runtime) -> None:
    async with live_api(runtime, ROOMS) as other:
        async with following(api, "fay", "operator") as one:
            async with following(other, "gus", "operator") as two:
                for body in ("x", "y"):
                    await note(other, "both", body)
                    await asyncio.gather(
                        one.until(shows("both", body)), two.until(shows("both", body))
                    )
                await note(api, "both", "z", open_=False)
                await asyncio.gather(one.until(shows("both", None)), two.until(shows("both", None)))


async def test_a_socket_that_sleeps_is_told_and_comes_back_right(api: Api) -> None:
    """It reads nothing while far more is sent than the way out holds."""
    cookie = await api.cookie("hana", "operator")
    async with api.screen(cookie, max_queue=1) as screen:
        await screen.ask("follow", topics=[NOTES])
        await screen.until(lambda s: NOTES in s.rows)
        client = next(iter(Hub.of(api.process).clients))
        deadline = time.monotonic() + 15
        number = 0
        while not client.lagging:
            assert time.monotonic() < deadline
            number += 1
            await note(api, "huge", f"{number} " + "x" * 200_000)
            await asyncio.sleep(0.12)
        await note(api, "huge", "the last")
        await note(api, "slept", "x")
        await screen.until(lambda s: shows("huge", "the last")(s) and shows("slept", "x")(s))
        assert [f for f in screen.frames if f["op"] == "lagging"], "it is told"
        await note(api, "huge", "awake", open_=False)
        await screen.until(shows("huge", None))


async def test_a_socket_that_reads_nothing_is_let_go(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_api, "_SEND_WITHIN_S", 0.3)
    cookie = await api.cookie("ines", "operator")
    await note(api, "large", "x" * 3_000_000)
    hub = Hub.of(api.process)
    async with api.screen(cookie, max_queue=1) as screen:
        await screen.ask("follow", topics=[NOTES])
        deadline = time.monotonic() + 20
        for number in range(200):
            if number and not hub.clients:
                break
            assert time.monotonic() < deadline
            await note(api, "large", f"{number}" + "x" * 3_000_000)
            await asyncio.sleep(0.15)
        assert not hub.clients
    await note(api, "large", "small again")
    async with api.screen(cookie) as screen:
        await screen.ask("follow", topics=[NOTES])
        await screen.until(shows("large", "small again"))
    await note(api, "large", "", open_=False)


async def test_what_a_client_sends_is_bounded(api: Api) -> None:
    cookie = await api.cookie("jana", "operator")
    async with api.screen(cookie) as screen:
        await screen.ask("follow", topics=["x" * 70_000])
        with pytest.raises(ConnectionClosed) as closed:
            await screen.until(lambda s: False, 10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    async with api.screen(cookie) as screen:
        await screen.ask("follow", topics=["x"] * 501)
        with pytest.raises(ConnectionClosed) as closed:
            await screen.until(lambda s: False, 10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400


async def test_a_topic_that_fails_leaves_the_others_alone(
    api: Api, owner: psycopg.AsyncConnection
) -> None:
    hub = Hub.of(api.process)
    async with following(api, "kim", "operator") as screen:
        await owner.execute("alter table core.trial_note rename to hidden")
        async with api.process.database.unit() as unit:
            await live.touched(unit, NOTES, "a", DIJON)
        for _ in range(200):
            if api.process.component("live-rows").status == "degraded":
                break
            await asyncio.sleep(0.05)
        assert api.process.component("live-rows").params == {"topics": [NOTES]}
        assert hub.reader.doubt is None, "the others are read"
        await owner.execute("alter table core.hidden rename to trial_note")
        await screen.until(lambda s: None in s.hints, 10)
        await note(api, "healed", "x")
        await screen.until(shows("healed", "x"))
