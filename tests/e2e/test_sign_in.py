"""Signing in as people do it: a passkey, a login service, a confirmation, one's own sessions."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Seat
from tests.support.centre import Centre, json
from tests.support.desk import Desk, both_languages, seated
from tests.support.oidc import provider
from tests.support.people import Account, new_account
from vigie.core.runtime import database_owner_url
from vigie.core.settings import load

pytestmark = pytest.mark.e2e
# Passkeys belong to a name: browsers make none for 127.0.0.1.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def named(centre: Centre) -> str:
    """The centre by name."""
    return centre.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def someone(centre: Centre, admin: httpx.Client) -> Account:
    """Name and password of an account that only this test uses."""
    username, first = new_account(admin, "viewer")
    chosen = first + "-changed"
    centre.login(username, first, chosen).close()
    return username, chosen


@pytest.fixture
def visitor(browser: Browser, centre: Centre) -> Iterator[Callable[..., Desk]]:
    """Opens the login page by the centre's name in a fresh profile."""
    with contextlib.ExitStack() as stack:

        def visit(language: str = "fr") -> Desk:
            desk = stack.enter_context(seated(browser, centre, language))
            desk.page.goto(named(centre) + "/")
            expect(desk.page.get_by_test_id("login-username")).to_be_visible()
            return desk

        yield visit


def with_device(desk: Desk) -> None:
    """Give the page a virtual authenticator that its person has unlocked."""
    session = desk.context.new_cdp_session(desk.page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def type_password(desk: Desk, account: Account) -> None:
    desk.page.get_by_test_id("login-username").fill(account[0])
    desk.page.get_by_test_id("login-password").fill(account[1])
    desk.page.get_by_test_id("login-submit").click()
    expect(desk.page.get_by_test_id("user-menu")).to_be_visible()


def open_account(desk: Desk) -> None:
    desk.page.get_by_test_id("user-menu").click()
    desk.page.get_by_test_id("my-account").click()
    expect(desk.page.get_by_test_id("session-row").first).to_be_visible()


def log_out(desk: Desk) -> None:
    desk.page.get_by_test_id("user-menu").click()
    desk.page.get_by_test_id("logout").click()
    expect(desk.page.get_by_test_id("login-username")).to_be_visible()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_passkey_is_made_and_opens_without_a_name(
    visitor: Callable[..., Desk], someone: Account, pictures: Path, language: str
) -> None:
    desk = visitor(language)
    page = desk.page
    with_device(desk)
    desk.picture(pictures / f"login-{language}.png")
    type_password(desk, someone)
    open_account(desk)
    page.get_by_test_id("passkey-add").click()
    page.get_by_test_id("passkey-name").fill("Poste de nuit")
    page.get_by_test_id("passkey-create").click()
    expect(page.get_by_test_id("passkey-row")).to_contain_text("Poste de nuit")
    desk.picture(pictures / f"account-{language}.png")
    log_out(desk)
    page.get_by_test_id("login-passkey").click()
    expect(page.get_by_test_id("user-menu")).to_be_visible()
    session = page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")
    assert (session["user"]["username"], session["means"]) == (someone[0], "passkey")


def test_a_passkey_that_opens_nothing_says_so(visitor: Callable[..., Desk], pictures: Path) -> None:
    desk = visitor()
    with_device(desk)
    desk.page.get_by_test_id("login-passkey").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("n’a pas répondu")
    desk.picture(pictures / "login-no-passkey.png")


def test_an_old_login_is_confirmed_before_a_passkey_is_removed(
    visitor: Callable[..., Desk], centre: Centre, someone: Account, pictures: Path
) -> None:
    desk = visitor()
    page = desk.page
    with_device(desk)
    type_password(desk, someone)
    open_account(desk)
    page.get_by_test_id("passkey-add").click()
    page.get_by_test_id("passkey-create").click()
    expect(page.get_by_test_id("passkey-row")).to_have_count(1)
    age_sessions(centre, someone[0])
    desk.expect_error(r"403|422")
    page.get_by_test_id("passkey-row").get_by_role("button").click()
    page.get_by_test_id("confirm-password").fill("not it at all")
    page.get_by_test_id("confirm-submit").click()
    expect(page.get_by_role("alert")).to_be_visible()
    desk.picture(pictures / "confirm.png")
    page.get_by_test_id("confirm-password").fill(someone[1])
    page.get_by_test_id("confirm-submit").click()
    expect(page.get_by_test_id("passkey-row")).to_have_count(0)


def age_sessions(centre: Centre, username: str) -> None:
    """As if an account's logins had been an hour ago."""
    with psycopg.connect(database_owner_url(load(centre.environment)), autocommit=True) as owner:
        owner.execute(
            "update access.session set fresh = now() - interval '1 hour' where account ="
            " (select id from access.account where username = %s)",
            (username,),
        )
    # What a process remembers of a login it forgets within five seconds.
    time.sleep(5.5)


def test_sessions_are_seen_and_ended(
    visitor: Callable[..., Desk], centre: Centre, someone: Account
) -> None:
    elsewhere = centre.login(*someone)
    desk = visitor()
    page = desk.page
    type_password(desk, someone)
    open_account(desk)
    rows = page.get_by_test_id("session-row")
    # Here, elsewhere, and where the account's first password was changed.
    expect(page.locator("[data-testid=session-row][data-current]")).to_have_count(1)
    expect(rows.filter(has_text="Appareil inconnu").first).to_be_visible()
    page.get_by_test_id("end-others").click()
    expect(rows).to_have_count(1)
    assert elsewhere.get("/api/v1/session").status_code == 401
    elsewhere.close()
    assert page.evaluate("fetch('/api/v1/session').then((answer) => answer.status)") == 200


@both_languages
def test_an_account_by_number_says_why_there_are_no_passkeys(
    operator: Desk, pictures: Path
) -> None:
    open_account(operator)
    words = {"fr": "par son nom", "en": "by its name"}[operator.language]
    expect(operator.page.get_by_text(words)).to_be_visible()
    expect(operator.page.get_by_test_id("passkey-add")).to_have_count(0)
    operator.picture(pictures / f"account-by-number-{operator.language}.png")


def at_provider(desk: Desk, login: str) -> None:
    """What a person does on the provider's own pages."""
    page = desk.page
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()


def test_a_login_service_opens_accounts_as_the_settings_say(
    visitor: Callable[..., Desk], centre: Centre, someone: Account, pictures: Path
) -> None:
    """A real code flow: an account that is there, one made for a group, and nobody else."""
    mark = secrets.token_hex(3)
    accounts = {
        "known": {"preferred_username": someone[0], "name": "Known", "email": "k@town.fr"},
        "grouped": {"preferred_username": f"new-{mark}", "name": "Nouvelle Lampe",
                    "groups": ["lamps"]},
        "nobody": {"preferred_username": f"none-{mark}", "name": "Nobody"},
    }  # fmt: skip
    with provider(centre, named(centre), accounts):
        for login, username, role in [
            ("known", someone[0], "viewer"),
            ("grouped", f"new-{mark}", "operator"),
        ]:
            desk = visitor()
            desk.page.get_by_test_id("login-town").click()
            # The provider's own page asks for a favourite icon that it has not.
            desk.expect_error(r"404|favicon|Content Security Policy|NAME_NOT_RESOLVED")
            at_provider(desk, login)
            # The screens load anew: nothing of them was fetched while the person typed elsewhere.
            expect(desk.page.get_by_test_id("user-menu")).to_be_visible(timeout=90_000)
            session = desk.page.evaluate("fetch('/api/v1/session').then((a) => a.json())")
            assert session["user"]["username"] == username
            assert [grant["role"] for grant in session["grants"]] == [role]
            assert session["means"] == "town"
            assert "signin" not in desk.page.url
        open_account(desk)
        expect(desk.page.get_by_test_id("identity-row")).to_contain_text("Compte de la ville")
        desk.picture(pictures / "account-town.png")

        desk = visitor()
        desk.expect_error(r"404|favicon|Content Security Policy|NAME_NOT_RESOLVED")
        desk.page.get_by_test_id("login-town").click()
        at_provider(desk, "nobody")
        expect(desk.page.get_by_role("alert")).to_contain_text("pas de compte ici", timeout=60_000)
        desk.picture(pictures / "login-no-account.png")

        # The level that is demanded is not stated: nobody is let in, known or not.
        desk = visitor()
        desk.expect_error(r"404|favicon|Content Security Policy|NAME_NOT_RESOLVED")
        desk.page.get_by_test_id("login-strict").click()
        at_provider(desk, "known")
        expect(desk.page.get_by_role("alert")).to_contain_text("n’est pas acceptée", timeout=60_000)


def test_a_login_service_that_is_away_says_so(visitor: Callable[..., Desk]) -> None:
    desk = visitor()
    desk.page.get_by_test_id("login-away").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("ne répond pas", timeout=60_000)
    expect(desk.page.get_by_test_id("login-username")).to_be_visible()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_role_is_made_given_and_removed(
    seat: Seat, admin: httpx.Client, pictures: Path, language: str
) -> None:
    desk = seat("administrator", language)
    page = desk.page
    name = "night_" + "".join(secrets.choice("abcdefgh") for _ in range(6))
    label = {"fr": f"Veilleur {name}", "en": f"Watchman {name}"}
    page.goto("/administration")
    page.get_by_role("tab").filter(has_text={"fr": "Rôles", "en": "Roles"}[language]).click()
    page.get_by_test_id("role-new").click()
    page.get_by_test_id("role-name").fill(name)
    for one in ("fr", "en"):
        page.get_by_test_id(f"role-label-{one}").fill(label[one])
    page.get_by_test_id("role-may-core.system").check()
    desk.picture(pictures / f"role-new-{language}.png")
    page.get_by_test_id("role-save").click()
    row = page.locator(f"[data-role={name}]")
    expect(row).to_contain_text(label[language])
    desk.picture(pictures / f"roles-{language}.png")
    roles = {role["name"]: role for role in json(admin.get("/api/v1/roles"))["roles"]}
    assert roles[name]["permissions"] == ["core.system"]
    row.get_by_role("button").last.click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(row).to_have_count(0)
