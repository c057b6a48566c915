"""Logging in and out, as a browser sees it."""

import asyncio
import contextlib
import unicodedata
from datetime import timedelta

import argon2
import pytest
from sqlalchemy import text

from tests.support.web import PASSWORD, account, client, log_in, person
from vigie.core import clock
from vigie.core.access import PERMISSIONS, Logins, attempts, devices, passwords
from vigie.core.access.api import ROUTES
from vigie.core.runtime import Runtime
from vigie.core.web import build_app


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS)


async def _acts(runtime: Runtime) -> list[str]:
    async with runtime.database.unit() as unit:
        found = await unit.execute(text("select act from journal.entry order by recorded, id"))
        return list(found.scalars())


async def test_a_first_login_opens_nothing_but_the_change_of_password(app, runtime):
    first = await account(runtime.database, "first", "administrator")
    async with client(app) as browser:
        answer = await log_in(browser, " First ", first)
        assert answer.status_code == 200
        body = answer.json()
        assert body["user"]["must_change_password"] is True
        assert "access.manage" in body["permissions"]
        assert body["rooms"] == [room.name for room in runtime.house.rooms]
        assert "access" in body["rooms"]
        refused = await browser.get("/api/v1/users")
        assert refused.status_code == 403
        assert refused.json()["code"] == "password_change_required"
        assert (await browser.get("/api/v1/session")).json() == body
        for new, code in [
            ("short", "password_too_short"),
            ("aaaaaaaaaaaaaaaa", "password_too_simple"),
            ("this is first of all", "password_holds_username"),
            (first, "password_unchanged"),
        ]:
            weak = await browser.post(
                "/api/v1/session/password", json={"current": first, "new": new}
            )
            assert weak.status_code == 422, new
            assert weak.json()["code"] == code
        wrong = await browser.post(
            "/api/v1/session/password", json={"current": "x", "new": PASSWORD}
        )
        assert wrong.json()["code"] == "wrong_password"
        done = await browser.post(
            "/api/v1/session/password", json={"current": first, "new": PASSWORD}
        )
        assert done.json()["user"]["must_change_password"] is False
        assert (await browser.get("/api/v1/users")).status_code == 200
    acts = await _acts(runtime)
    assert "access.logged_in" in acts
    assert "access.password_changed" in acts
    assert "access.users_read" in acts


@pytest.mark.parametrize("chosen", ["NFC", "NFD"])
async def test_a_password_opens_however_its_accents_are_typed(app, runtime, chosen):
    name, password = f"accents-{chosen.lower()}", "été éclairé\u00a02026"
    first = await account(runtime.database, name)
    async with client(app) as browser:
        await log_in(browser, name, first)
        change = {"current": first, "new": unicodedata.normalize(chosen, password)}
        assert (await browser.post("/api/v1/session/password", json=change)).status_code == 200
        again = {"current": password, "new": unicodedata.normalize("NFD", password)}
        same = await browser.post("/api/v1/session/password", json=again)
        assert same.json()["code"] == "password_unchanged"
    for form in ("NFC", "NFD"):
        async with client(app) as browser:
            typed = unicodedata.normalize(form, password)
            assert (await log_in(browser, name, typed)).status_code == 200, form
    async with client(app) as browser:
        assert (await log_in(browser, name, "ete eclaire 2026")).status_code == 401


@pytest.mark.parametrize("stored_as", ["NFC", "NFD"])
async def test_a_password_stored_as_it_was_typed_still_opens(app, runtime, stored_as):
    """Hashes from before passwords were composed; the login stores them anew."""
    name, password = f"old-{stored_as.lower()}", "été éclairé 2026"
    await account(runtime.database, name)
    old = argon2.PasswordHasher().hash(unicodedata.normalize(stored_as, password))
    async with runtime.database.unit() as unit:
        await unit.execute(
            text("update access.account set password = :old where username = :name"),
            {"old": old, "name": name},
        )
    for form in ("NFD", "NFC"):
        async with client(app) as browser:
            typed = unicodedata.normalize(form, password)
            assert (await log_in(browser, name, typed)).status_code == 200, form
    async with runtime.database.unit() as unit:
        found = await unit.execute(
            text("select password from access.account where username = :name"), {"name": name}
        )
        assert argon2.PasswordHasher().verify(found.scalar_one(), password)


async def test_the_cookie_is_hidden_from_scripts_and_strict(app, runtime):
    first = await account(runtime.database, "cookie")
    async with client(app) as browser:
        header = (await log_in(browser, "cookie", first)).headers["set-cookie"]
        assert header.startswith("vigie=")
        assert "HttpOnly" in header
        assert "samesite=strict" in header.lower()
        assert "Secure" not in header
    async with client(app, base="https://127.0.0.1:8080") as browser:
        header = (await log_in(browser, "cookie", first)).headers["set-cookie"]
        assert header.startswith("__Host-vigie=")
        assert "Secure" in header
        assert "Path=/" in header
        assert "domain" not in header.lower()
        assert (await browser.get("/api/v1/session")).status_code == 200


async def test_plain_http_from_another_machine_refuses_login_with_the_remedy(app, runtime):
    first = await account(runtime.database, "faraway")
    async with client(app, address="192.0.2.7") as browser:
        refused = await log_in(browser, "faraway", first)
        assert refused.status_code == 403
        assert refused.json()["code"] == "https_required"
        assert "VIGIE_TLS_CERTIFICATE" in refused.json()["detail"]


async def test_an_unsafe_request_needs_the_csrf_token_and_our_own_origin(app, runtime):
    browser = await person(app, runtime, "csrf", "administrator")
    new = {"username": "made-by-csrf", "display_name": "Made"}
    token = browser.headers.pop("X-CSRF-Token")
    assert (await browser.post("/api/v1/users", json=new)).json()["code"] == "csrf_failed"
    browser.headers["X-CSRF-Token"] = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert (await browser.post("/api/v1/users", json=new)).json()["code"] == "csrf_failed"
    browser.headers["X-CSRF-Token"] = token
    evil = await browser.post("/api/v1/users", json=new, headers={"Origin": "https://evil.test"})
    assert evil.json()["code"] == "wrong_origin"
    other_port = {"Origin": "http://127.0.0.1:9999"}
    assert (await browser.post("/api/v1/users", json=new, headers=other_port)).status_code == 403
    cross = await browser.post("/api/v1/users", json=new, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.json()["code"] == "wrong_origin"
    ours = await browser.post(
        "/api/v1/users", json=new, headers={"Origin": "http://127.0.0.1:8080"}
    )
    assert ours.status_code == 201, ours.text


async def test_logging_out_ends_the_session_at_once(app, runtime):
    browser = await person(app, runtime, "leaver")
    cookie = browser.cookies["vigie"]
    assert (await browser.get("/api/v1/session")).status_code == 200
    gone = await browser.delete("/api/v1/session")
    assert gone.status_code == 204
    async with client(app) as thief:
        thief.cookies.set("vigie", cookie)
        assert (await thief.get("/api/v1/session")).status_code == 401


async def test_logging_in_again_gives_a_new_secret_and_ends_the_old_one(app, runtime):
    browser = await person(app, runtime, "rotator")
    old = browser.cookies["vigie"]
    await log_in(browser, "rotator", PASSWORD)
    assert browser.cookies["vigie"] != old
    async with client(app) as thief:
        thief.cookies.set("vigie", old)
        assert (await thief.get("/api/v1/session")).status_code == 401


async def test_a_changed_password_ends_every_other_session(app, runtime):
    here = await person(app, runtime, "mover")
    async with client(app) as there:
        await log_in(there, "mover", PASSWORD)
        assert (await there.get("/api/v1/session")).status_code == 200
        body = {"current": PASSWORD, "new": "cinq vaches bleues 77"}
        assert (await here.post("/api/v1/session/password", json=body)).status_code == 200
        assert (await there.get("/api/v1/session")).status_code == 401
        assert (await here.get("/api/v1/session")).status_code == 200


async def test_sessions_end_by_age_and_by_idleness(app, runtime):
    browser = await person(app, runtime, "sleeper")
    logins = Logins.of(runtime)

    async def after(change: str) -> int:
        async with runtime.database.unit() as unit:
            await unit.execute(text(f"update access.session set {change}"))
            found = await unit.execute(text("select id from access.account"))
            for user in found.scalars():
                logins.forget(user)
        return (await browser.get("/api/v1/session")).status_code

    assert await after("used = now() - interval '119 minutes'") == 200
    assert await after("used = now() - interval '121 minutes'") == 401
    assert await after("used = now(), expires = now() + interval '1 minute'") == 200
    assert await after("expires = now() - interval '1 second'") == 401


async def test_unknown_users_and_wrong_passwords_look_the_same(app, runtime):
    await account(runtime.database, "known")
    async with client(app) as browser:
        one = await log_in(browser, "known", "no")
        two = await log_in(browser, "nobody-of-that-name", "no")
    assert one.status_code == two.status_code == 401
    assert {**one.json(), "request_id": ""} == {**two.json(), "request_id": ""}
    assert "access.login_failed" in await _acts(runtime)


async def test_too_many_failures_are_slowed_down_by_user_and_address(app, runtime):
    first = await account(runtime.database, "target")
    async with client(app, base="https://127.0.0.1:8080", address="203.0.113.5") as guesser:
        for _ in range(attempts.LIMITS["pair"]):
            assert (await log_in(guesser, "target", "guess")).status_code == 401
        blocked = await log_in(guesser, "target", first)
        assert blocked.status_code == 429
        assert 0 < int(blocked.headers["retry-after"]) <= 300
        assert blocked.json()["code"] == "too_many_logins"
        # The address runs out too, whichever the user.
        seen = [
            (await log_in(guesser, f"u{i}", "guess")).status_code
            for i in range(attempts.LIMITS["address"])
        ]
        assert 429 in seen
    async with client(app, base="https://127.0.0.1:8080", address="203.0.113.99") as elsewhere:
        assert (await log_in(elsewhere, "target", first)).status_code == 200


async def test_guesses_from_elsewhere_lock_nobody_out_of_where_they_work(app, runtime):
    home, base = "203.0.113.20", "https://127.0.0.1:8080"
    first = await account(runtime.database, "worker")
    async with client(app, base=base, address=home) as working:
        assert (await log_in(working, "worker", first)).status_code == 200
    for i in range(attempts.LIMITS["user"]):
        await attempts.begin(runtime.database, attempts.Attempt("worker", f"198.18.0.{i % 25}"))
    async with client(app, base=base, address="203.0.113.21") as elsewhere:
        assert (await log_in(elsewhere, "worker", first)).status_code == 429
    async with client(app, base=base, address=home) as working:
        assert (await log_in(working, "worker", first)).status_code == 200


async def test_a_burst_of_guesses_gains_nothing(app, runtime, quick_hashes):
    await account(runtime.database, "burst")
    async with client(app, base="https://127.0.0.1:8080", address="198.51.100.7") as guesser:
        answers = await asyncio.gather(
            *(log_in(guesser, "burst", f"guess {i}") for i in range(attempts.LIMITS["pair"] + 6))
        )
    codes = [answer.status_code for answer in answers]
    assert codes.count(401) == attempts.LIMITS["pair"]
    assert codes.count(429) == 6


@pytest.fixture
def quick_hashes(monkeypatch):
    """Passwords cost next to nothing: a test of the queue does not depend on the machine."""
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    monkeypatch.setattr(passwords, "_NOBODY", hasher.hash("nobody"))


async def test_a_flood_of_wrong_logins_is_refused_and_holds_little(
    app, runtime, monkeypatch, quick_hashes
):
    """It takes as many connections as there are turns, waits in bounds, and nothing fails."""
    await account(runtime.database, "flooded")
    unit, held, most = runtime.database.unit, 0, 0

    @contextlib.asynccontextmanager
    async def counted(*given, **named):
        nonlocal held, most
        held += 1
        most = max(most, held)
        try:
            async with unit(*given, **named) as opened:
                yield opened
        finally:
            held -= 1

    monkeypatch.setattr(runtime.database, "unit", counted)
    async with client(app, base="https://127.0.0.1:8080", address="198.51.100.77") as guesser:
        answers = await asyncio.gather(
            *(log_in(guesser, f"flooded{i % 7 or ''}", f"guess {i}") for i in range(150))
        )
    assert {answer.status_code for answer in answers} <= {401, 429, 503}
    for answer in answers:
        if answer.status_code != 401:
            assert int(answer.headers["retry-after"]) > 0
    assert sum(answer.status_code == 401 for answer in answers) <= attempts.LIMITS["address"]
    assert most <= 2


async def test_a_recognised_browser_goes_before_a_flood_from_its_own_address(
    app, runtime, quick_hashes
):
    first = await account(runtime.database, "colleague")
    base, address = "https://127.0.0.1:8080", "198.51.100.78"
    async with client(app, base=base, address=address) as browser:
        assert (await log_in(browser, "colleague", first)).status_code == 200
        async with client(app, base=base, address=address) as guesser:
            flood = [
                asyncio.ensure_future(log_in(guesser, "colleague", f"guess {i}")) for i in range(60)
            ]
            answer = await log_in(browser, "colleague", first)
            assert answer.status_code == 200, answer.text
            assert {a.status_code for a in await asyncio.gather(*flood)} <= {401, 429, 503}
            # The address has no attempt left for this user; the browser has its own.
            assert (await log_in(guesser, "colleague", first)).status_code == 429
        assert (await log_in(browser, "colleague", first)).status_code == 200
        for _ in range(attempts.LIMITS["device"]):
            assert (await log_in(browser, "colleague", "wrong")).status_code == 401
        assert (await log_in(browser, "colleague", first)).status_code == 429


async def test_an_address_used_up_still_lets_in_who_has_a_session_there(app, runtime, quick_hashes):
    base, address = "https://127.0.0.1:8080", "2001:db8:7:7::1"
    first = await account(runtime.database, "neighbour")
    other = await account(runtime.database, "visitor")
    async with client(app, base=base, address=address) as browser:
        assert (await log_in(browser, "neighbour", first)).status_code == 200
    async with client(app, base=base, address="2001:db8:7:7::bad") as guesser:
        for i in range(attempts.LIMITS["address"] + 1):
            await log_in(guesser, f"someone-{i}", "guess")
        assert (await log_in(guesser, "visitor", other)).status_code == 429
    async with client(app, base=base, address="2001:db8:7:7::2") as new_browser:
        assert (await log_in(new_browser, "neighbour", first)).status_code == 200


async def test_what_recognises_a_browser_opens_nothing_and_names_one_user(app, runtime):
    first = await account(runtime.database, "marked")
    folder, now = runtime.settings.root / "secrets", clock.now()
    async with client(app) as browser:
        answer = await log_in(browser, "marked", first)
        header = next(h for h in answer.headers.get_list("set-cookie") if "vigie-device=" in h)
        assert "HttpOnly" in header
        assert "samesite=strict" in header.lower()
        mark = browser.cookies["vigie-device"]
    assert devices.recognise(folder, mark, "marked", now)
    assert devices.recognise(folder, mark, "another", now) is None
    assert devices.recognise(folder, mark, "marked", now + devices.LASTS + timedelta(1)) is None
    ends, _, rest = mark.partition(".")
    later = f"{int(ends) + 9}.{rest}"
    for forged in ("", "x", mark[:-1], later, mark + "é", f"²{mark}", mark * 9):
        assert devices.recognise(folder, forged, "marked", now) is None
    async with client(app) as thief:
        thief.cookies.set("vigie-device", mark)
        assert (await thief.get("/api/v1/session")).status_code == 401
        assert (await log_in(thief, "marked", "wrong")).status_code == 401


async def test_another_process_hears_of_a_logout_at_once(app, runtime):
    other = Logins.of(Runtime(runtime.settings, "api", runtime.database, runtime.bus))
    await other.listen()
    browser = await person(app, runtime, "heard")
    secret = browser.cookies["vigie"]
    assert await other.by_session(secret) is not None
    await browser.delete("/api/v1/session")
    started = asyncio.get_running_loop().time()
    while await other.by_session(secret) is not None:
        assert asyncio.get_running_loop().time() - started < 2
        await asyncio.sleep(0.01)


async def test_the_same_network_counts_as_one_address():
    assert attempts.network("2001:db8:1:2::9") == attempts.network("2001:db8:1:2:ffff::1")
    assert attempts.network("192.0.2.1") != attempts.network("192.0.2.2")


async def test_what_is_stored_does_not_open_a_session(app, runtime):
    browser = await person(app, runtime, "stored")
    async with runtime.database.unit() as unit:
        keys = (await unit.execute(text("select key from access.session"))).scalars().all()
        passwords = (await unit.execute(text("select password from access.account"))).scalars()
        assert all(stored.startswith("$argon2id$") for stored in passwords)
    async with client(app) as thief:
        for key in keys:
            thief.cookies.set("vigie", bytes(key).hex())
            assert (await thief.get("/api/v1/session")).status_code == 401
    await browser.aclose()
