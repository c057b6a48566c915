"""Passkeys: made with a fresh login, opened by their owner alone, at their own host, once."""

import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.support.authenticator import Authenticator
from tests.support.web import PASSWORD, client, person
from vigie.core import clock
from vigie.core.access import PERMISSIONS, Logins, attempts
from vigie.core.access.api import ROUTES
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

HERE = "http://localhost:8080"


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS)


@pytest.fixture(autouse=True)
async def no_attempts(runtime: Runtime):
    async with runtime.database.unit() as unit:
        await unit.execute(text("delete from access.attempt"))


async def registered(browser, **options) -> Authenticator:
    device = Authenticator(HERE, **options)
    asked = (await browser.post("/api/v1/passkeys/options")).json()["public_key"]
    made = {"name": "Phone", "credential": device.create(asked)}
    answer = await browser.post("/api/v1/passkeys", json=made)
    assert answer.status_code == 201, answer.text
    return device


async def options(browser) -> dict:
    return (await browser.post("/api/v1/session/passkey/options")).json()["public_key"]


async def log_in(browser, credential):
    return await browser.post("/api/v1/session/passkey", json=credential)


async def test_a_passkey_opens_its_owners_session(app, runtime):
    async with await person(app, runtime, "pk-anne", "operator", base=HERE) as browser:
        device = await registered(browser)
        second = await registered(browser)
        listed = (await browser.get("/api/v1/passkeys")).json()["items"]
        assert [(p["name"], p["host"], p["used"]) for p in listed] == [
            ("Phone", "localhost", None)
        ] * 2
    async with client(app, base=HERE) as stranger:
        asked = await options(stranger)
        assert asked["userVerification"] == "required"
        assert "allowCredentials" not in asked or asked["allowCredentials"] == []
        answer = await log_in(stranger, device.get(asked))
        assert answer.status_code == 200, answer.text
        session = answer.json()
        assert (session["user"]["username"], session["means"]) == ("pk-anne", "passkey")
        stranger.headers["X-CSRF-Token"] = session["csrf"]
        assert (await stranger.get("/api/v1/session")).json()["fresh"] is not None
        # One taken away opens nothing any more, the other still does.
        first = listed[0]["id"]
        assert (await stranger.delete(f"/api/v1/passkeys/{first}")).status_code == 204
        assert (await stranger.delete(f"/api/v1/passkeys/{first}")).status_code == 404
    async with client(app, base=HERE) as stranger:
        assert (await log_in(stranger, device.get(await options(stranger)))).status_code == 401
        assert (await log_in(stranger, second.get(await options(stranger)))).status_code == 200


async def test_a_passkey_is_asked_of_a_name_not_of_an_address(app, runtime):
    async with await person(app, runtime, "pk-number", "operator") as browser:
        refused = await browser.post("/api/v1/passkeys/options")
        assert (refused.status_code, refused.json()["code"]) == (403, "passkey_needs_name")
        assert (await browser.get("/api/v1/session/ways")).json()["passkeys"] is False
    async with client(app, base=HERE) as stranger:
        assert (await stranger.get("/api/v1/session/ways")).json()["passkeys"] is True


async def test_no_passkey_is_made_or_removed_without_a_fresh_login(app, runtime):
    async with await person(app, runtime, "pk-stale", "operator", base=HERE) as browser:
        await registered(browser)
        asked = (await browser.post("/api/v1/passkeys/options")).json()["public_key"]
        kept = (await browser.get("/api/v1/passkeys")).json()["items"][0]["id"]
        await stale(runtime, "pk-stale")
        made = {"name": "Mine", "credential": Authenticator(HERE).create(asked)}
        for answer in (
            await browser.post("/api/v1/passkeys/options"),
            await browser.post("/api/v1/passkeys", json=made),
            await browser.delete(f"/api/v1/passkeys/{kept}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "fresh_login_needed")
        wrong = await browser.post("/api/v1/session/confirm", json={"password": "not it"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
        assert (await browser.post("/api/v1/passkeys/options")).status_code == 403
        right = await browser.post("/api/v1/session/confirm", json={"password": PASSWORD})
        assert right.status_code == 200
        assert (await browser.post("/api/v1/passkeys", json=made)).status_code == 201


async def stale(runtime: Runtime, username: str) -> None:
    async with runtime.database.unit() as unit:
        found = await unit.execute(
            text(
                "update access.session set fresh = :then where account ="
                " (select id from access.account where username = :username) returning account"
            ),
            {"then": clock.now() - timedelta(minutes=6), "username": username},
        )
        account = found.scalars().first()
    Logins.of(runtime).forget(account)


async def test_a_session_is_confirmed_with_its_owners_passkey_only(app, runtime):
    async with contextlib.AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(await person(app, runtime, name, "operator", base=HERE))
            for name in ("pk-one", "pk-other")
        ]
        mine, theirs = await registered(one), await registered(other)
        await stale(runtime, "pk-one")
        wrong = await one.post(
            "/api/v1/session/confirm/passkey", json=theirs.get(await options(one))
        )
        assert wrong.status_code == 401
        assert (await one.post("/api/v1/passkeys/options")).status_code == 403
        right = await one.post("/api/v1/session/confirm/passkey", json=mine.get(await options(one)))
        assert right.status_code == 200, right.text
        assert (await one.post("/api/v1/passkeys/options")).status_code == 200


async def test_wrong_answers_open_nothing(app, runtime):
    async with await person(app, runtime, "pk-wrong", "operator", base=HERE) as browser:
        device = await registered(browser)
        other = await registered(browser)
        register = (await browser.post("/api/v1/passkeys/options")).json()["public_key"]
    async with client(app, base=HERE) as stranger:

        async def refused(credential) -> None:
            answer = await log_in(stranger, credential)
            assert (answer.status_code, answer.json()["code"]) == (401, "wrong_passkey")

        # The same answer again.
        once = device.get(await options(stranger))
        assert (await log_in(stranger, once)).status_code == 200
        await refused(once)
        # A challenge for something else, or nobody's.
        await refused(device.get({**await options(stranger), "challenge": register["challenge"]}))
        await refused(device.get({**await options(stranger), "challenge": "AAAA"}))
        # Another page, another host, nobody verified, another's key or handle, a copy's counter.
        device.origin = "http://localhost:8081"
        await refused(device.get(await options(stranger)))
        device.origin = HERE
        await refused(device.get({**await options(stranger), "rpId": "evil.example"}))
        device.flags = 1
        await refused(device.get(await options(stranger)))
        device.flags = 5
        swapped = other.get(await options(stranger))
        await refused({**swapped, "id": once["id"], "rawId": once["rawId"]})
        handle, device.handle = device.handle, b"\x00" * 16
        await refused(device.get(await options(stranger)))
        device.handle = handle
        async with runtime.database.unit() as unit:
            await unit.execute(text("delete from access.attempt"))
        device.count = 0
        await refused(device.get(await options(stranger)))
        device.count = 1000
        assert (await log_in(stranger, device.get(await options(stranger)))).status_code == 200


@pytest.mark.parametrize(
    "broken",
    [
        {"attestationObject": "AAAA"},
        {"attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"},
        {"clientDataJSON": "e30"},
        {"clientDataJSON": "é"},
        {"attestationObject": None},
    ],
)
async def test_a_registration_of_garbage_is_refused(app, runtime, broken):
    name = f"pk-g-{abs(hash(str(broken))) % 10**6}"
    async with await person(app, runtime, name, "operator", base=HERE) as browser:
        asked = (await browser.post("/api/v1/passkeys/options")).json()["public_key"]
        credential = Authenticator(HERE).create(asked)
        credential["response"].update(broken)
        answer = await browser.post(
            "/api/v1/passkeys", json={"name": "x", "credential": credential}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "passkey_refused")
        assert (await browser.get("/api/v1/passkeys")).json()["items"] == []


async def test_a_registration_needs_user_verification(app, runtime):
    async with await person(app, runtime, "pk-unverified", "operator", base=HERE) as browser:
        asked = (await browser.post("/api/v1/passkeys/options")).json()["public_key"]
        assert asked["authenticatorSelection"]["userVerification"] == "required"
        assert asked["authenticatorSelection"]["residentKey"] == "required"
        credential = Authenticator(HERE, verified=False).create(asked)
        answer = await browser.post(
            "/api/v1/passkeys", json={"name": "x", "credential": credential}
        )
        assert answer.status_code == 422


async def test_guesses_are_counted_by_address_and_not_against_passwords(app, runtime):
    async with await person(app, runtime, "pk-flood", "operator", base=HERE) as browser:
        device = await registered(browser)
    async with client(app, base=HERE) as guesser:
        device.flags = 1
        for _ in range(attempts.LIMITS["pair"]):
            assert (await log_in(guesser, device.get(await options(guesser)))).status_code == 401
        shut = await log_in(guesser, device.get(await options(guesser)))
        assert (shut.status_code, shut.json()["code"]) == (429, "too_many_logins")
        password = await guesser.post(
            "/api/v1/session", json={"username": "pk-flood", "password": PASSWORD}
        )
        assert password.status_code == 200


async def test_a_reset_password_takes_the_passkeys_along(app, runtime):
    async with contextlib.AsyncExitStack() as stack:
        admin = await stack.enter_async_context(
            await person(app, runtime, "pk-admin", "administrator", base=HERE)
        )
        browser = await stack.enter_async_context(
            await person(app, runtime, "pk-reset", "operator", base=HERE)
        )
        device = await registered(browser)
        user = (await browser.get("/api/v1/session")).json()["user"]["id"]
        assert (await admin.post(f"/api/v1/users/{user}/reset-password")).status_code == 200
        stranger = await stack.enter_async_context(client(app, base=HERE))
        assert (await log_in(stranger, device.get(await options(stranger)))).status_code == 401
