"""The app on a real port: sockets, TLS, stopping, and the figures of other processes."""

import asyncio
import contextlib
import json
import signal

import httpx
import msgspec
import pytest
from litestar import WebSocket
from sqlalchemy import event, text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.certificate import certificate
from tests.support.web import PASSWORD, account, log_in
from vigie.core import metrics
from vigie.core.access import PERMISSIONS, Logins, Permission
from vigie.core.access.api import ROUTES
from vigie.core.engines import free_port
from vigie.core.errors import SetupError
from vigie.core.runtime import Runtime
from vigie.core.scope import Principal
from vigie.core.tasks import end
from vigie.core.web import build_app, caller_scope, serve, still_logged_in, websocket
from vigie.core.web.server import listen

TRIAL = Permission("trial.read", "Try.", ("operator",))


@websocket("/live", permission="trial.read")
async def live(socket: WebSocket, principal: Principal) -> None:
    """Say who it is, and on each word whether they still are."""
    scope = caller_scope(socket, "trial.read")
    await socket.send_json({"name": principal.name, "pairs": sorted(scope.pairs)})
    while await socket.receive_text():
        found = await still_logged_in(socket, "trial.read")
        await socket.send_json({"still": found is not None})


@contextlib.asynccontextmanager
async def served(runtime: Runtime, **changes):
    settings = msgspec.structs.replace(runtime.settings, http_port=free_port(), **changes)
    process = Runtime(settings, "api", runtime.database, runtime.bus)
    app = build_app(process, [*ROUTES, live], [*PERMISSIONS, TRIAL])
    task = asyncio.create_task(serve(process, app))
    scheme = "https" if settings.tls_certificate else "http"
    base = f"{scheme}://127.0.0.1:{settings.http_port}"
    try:
        async with httpx.AsyncClient(base_url=base, verify=False) as browser:
            for _ in range(1500):
                with contextlib.suppress(httpx.TransportError):
                    if (await browser.get("/healthz")).status_code == 200:
                        break
                await asyncio.sleep(0.02)
            yield process, browser
    finally:
        process.stopping.set()
        await asyncio.wait_for(task, 30)


@contextlib.asynccontextmanager
async def logged_in(runtime, browser, username, *grants):
    first = await account(runtime.database, username, *grants)
    await log_in(browser, username, first)
    body = {"current": first, "new": PASSWORD}
    assert (await browser.post("/api/v1/session/password", json=body)).status_code == 200
    yield "; ".join(f"{k}={v}" for k, v in browser.cookies.items())


def _address(process: Runtime) -> str:
    return f"ws://127.0.0.1:{process.settings.http_port}/api/v1/live"


async def _closed_with(address, **headers) -> int:
    async with connect(address, additional_headers=headers, proxy=None) as live_socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(live_socket.recv(), 30)
        return closed.value.rcvd.code


async def test_sockets_open_for_who_may_and_close_when_they_may_no_more(runtime):
    async with served(runtime) as (process, browser):
        address = _address(process)
        async with logged_in(runtime, browser, "lucie", "operator@21231/lighting") as cookie:
            origin = str(browser.base_url).rstrip("/")
            async with connect(
                address, additional_headers={"Cookie": cookie, "Origin": origin}, proxy=None
            ) as live_socket:
                assert json.loads(await live_socket.recv()) == {
                    "name": "lucie",
                    "pairs": ["21231/lighting"],
                }
                await live_socket.send("?")
                assert json.loads(await live_socket.recv()) == {"still": True}
                assert await _closed_with(address) == 4401
                assert await _closed_with(address, Cookie="vigie=no") == 4401
                assert await _closed_with(address, Authorization="Bearer no") == 4401
                evil = {"Cookie": cookie, "Origin": "https://evil.example"}
                assert await _closed_with(address, **evil) == 4403
                await browser.delete("/api/v1/session")
                await live_socket.send("?")
                assert json.loads(await live_socket.recv()) == {"still": False}
        async with logged_in(runtime, browser, "viewer", "viewer") as cookie:
            assert await _closed_with(address, Cookie=cookie) == 4403


async def test_a_socket_of_another_host_is_refused(runtime):
    async with served(runtime) as (process, _browser):
        with pytest.raises(InvalidStatus):
            async with connect(
                _address(process), additional_headers={"Host": "evil.example"}, proxy=None
            ):
                pass


async def test_stopping_lets_go_of_the_port_and_the_signals(runtime):
    before = signal.getsignal(signal.SIGTERM)
    async with served(runtime) as (process, browser):
        assert signal.getsignal(signal.SIGTERM) is before
        port = process.settings.http_port
        with pytest.raises(SetupError, match="VIGIE_HTTP_PORT"):
            listen("127.0.0.1", port)
        answer = await browser.get("/healthz")
        assert "server" not in answer.headers
    listen("127.0.0.1", port).close()


async def test_stopping_does_not_wait_for_open_sockets(runtime):
    async with served(runtime) as (process, browser):
        async with logged_in(runtime, browser, "stayer", "operator") as cookie:
            live_socket = await connect(
                _address(process), additional_headers={"Cookie": cookie}, proxy=None
            )
            await live_socket.recv()
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 6
    await live_socket.close()


async def test_tls_with_a_given_certificate(runtime, tmp_path):
    chain, key = certificate(tmp_path)
    async with served(runtime, tls_certificate=chain, tls_key=key) as (_process, browser):
        async with logged_in(runtime, browser, "secure", "operator") as cookie:
            assert cookie.startswith("__Host-vigie=")
        assert "strict-transport-security" in (await browser.get("/")).headers


RELAYED = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7", "X-Forwarded-Proto": "https"}


async def test_a_trusted_proxy_says_who_asks_and_over_what(runtime):
    first = await account(runtime.database, "relayed", "operator")
    async with served(runtime, trusted_proxies="127.0.0.0/8") as (_process, browser):
        browser.headers.update(RELAYED)
        assert "strict-transport-security" in (await browser.get("/")).headers
        answer = await log_in(browser, "relayed", first)
        assert answer.status_code == 200
        assert answer.headers["set-cookie"].startswith("__Host-vigie=")
        assert "secure" in answer.headers["set-cookie"].lower()
        async with runtime.database.unit() as unit:
            found = await unit.execute(text("select address from access.session"))
            assert "203.0.113.7" in found.scalars().all(), "the last one that is no proxy of ours"
        browser.headers["X-Forwarded-Proto"] = "http"
        assert (await log_in(browser, "relayed", first)).json()["code"] == "https_required"


async def test_nobody_elses_word_on_who_asks_is_believed(runtime):
    first = await account(runtime.database, "unrelayed", "operator")
    for proxies in ("", "10.0.0.0/8"):
        async with served(runtime, trusted_proxies=proxies) as (_process, browser):
            browser.headers.update(RELAYED)
            assert "strict-transport-security" not in (await browser.get("/")).headers
            answer = await log_in(browser, "unrelayed", first)
            assert (answer.status_code, answer.json()["code"]) == (403, "https_required")
            assert "VIGIE_TRUSTED_PROXIES" in answer.json()["detail"]
            for name in RELAYED:
                del browser.headers[name]
            assert (await log_in(browser, "unrelayed", first)).status_code == 200


async def test_a_bad_certificate_says_so(runtime, tmp_path):
    settings = msgspec.structs.replace(
        runtime.settings, http_port=free_port(), tls_certificate=str(tmp_path / "none.pem")
    )
    process = Runtime(settings, "api", runtime.database, runtime.bus)
    with pytest.raises(SetupError, match=r"none\.pem"):
        await serve(process, build_app(process, [], []))


async def test_figures_of_other_processes_are_heard(runtime):
    api = Runtime(runtime.settings, "api", runtime.database, runtime.bus)
    other = Runtime(runtime.settings, "ingest", runtime.database, runtime.bus)
    services = {
        **metrics.services(api),
        **{f"other-{k}": v for k, v in metrics.services(other).items()},
    }
    assert "metrics-heard" in services
    tasks = [asyncio.create_task(services["metrics-heard"]())]
    await asyncio.sleep(0.2)
    tasks += [asyncio.create_task(services[n]()) for n in ("other-metrics", "loop-lag")]
    try:
        for _ in range(600):
            shown = metrics.render(api)
            if f'instance="{other.instance}"' in shown and "loop_lag_seconds_count" in shown:
                break
            await asyncio.sleep(0.05)
        assert f'role="ingest",instance="{other.instance}"' in shown
        assert f'role="api",instance="{api.instance}"' in shown
        helps = [line for line in shown.splitlines() if line.startswith("# HELP")]
        assert len(helps) == len(set(helps))
        _demand_exposition(shown)
    finally:
        await end(tasks)


async def test_a_lookup_is_one_query_and_then_none(runtime):
    statements: list[str] = []

    def count(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    engine = runtime.database._engine.sync_engine
    async with served(runtime) as (process, browser):
        async with logged_in(runtime, browser, "counted", "operator"):
            await browser.get("/api/v1/session")
            event.listen(engine, "before_cursor_execute", count)
            try:
                for _ in range(10):
                    assert (await browser.get("/api/v1/session")).status_code == 200
                assert statements == []
                caller = await Logins.of(process).by_session(browser.cookies["vigie"])
                Logins.of(process).forget(caller.login.user)
                await browser.get("/api/v1/session")
                assert len([s for s in statements if "access." in s]) == 1
            finally:
                event.remove(engine, "before_cursor_execute", count)


def _demand_exposition(shown: str) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    assert len(list(text_string_to_metric_families(shown))) > 5
