"""Logins at a provider: what its tokens must say, whom they open, and what is refused."""

import contextlib
import hashlib
import hmac
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from joserfc import jwk, jwt
from sqlalchemy import text

from tests.support.web import client, person
from vigie.core import clock
from vigie.core.access import PERMISSIONS, identities, oidc, providers
from vigie.core.access.api import ROUTES
from vigie.core.access.providers import Client, GroupGrant, Metadata, Provider, Refused
from vigie.core.errors import SetupError, Unavailable
from vigie.core.runtime import Runtime
from vigie.core.scope import Grant
from vigie.core.settings import Settings
from vigie.core.web import build_app

ISSUER = "https://login.example.org"
HERE = "http://localhost:8080"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
NEXT = jwk.RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "one"})


class FakeProvider(Client):
    """A provider without a network: answers as a test tells it to."""

    def __init__(self, name: str = "town", **settings: Any) -> None:
        super().__init__(name, Provider(ISSUER, "vigie", **settings))
        self.keys = [KEY]
        self.token = ""
        self.userinfo: dict[str, Any] = {}
        self.asked: list[str] = []
        self.form: dict[str, str] = {}

    async def _ask(self, method: str, address: str, **options: Any) -> tuple[int, bytes]:
        path = urlsplit(address).path
        self.asked.append(path)
        if path.endswith("/.well-known/openid-configuration"):
            return 200, msgspec.json.encode(
                Metadata(
                    ISSUER, f"{ISSUER}/auth", f"{ISSUER}/token", f"{ISSUER}/keys", f"{ISSUER}/me"
                )
            )
        if path == "/keys":
            return 200, msgspec.json.encode(
                {"keys": [key.as_dict(private=False) for key in self.keys]}
            )
        if path == "/me":
            return 200, msgspec.json.encode(self.userinfo)
        self.form = options["data"]
        return 200, msgspec.json.encode({"id_token": self.token, "access_token": "x"})


def claims(**changes: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    whole = {"iss": ISSUER, "sub": "s-1", "aud": "vigie", "exp": now + 60, "iat": now, "nonce": "n"}
    return {k: v for k, v in {**whole, **changes}.items() if v is not None}


def signed(said: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    head = {"alg": "RS256", "kid": key.kid, **header}
    return jwt.encode(head, said, key, algorithms=[head["alg"]])


def with_public_key_as_secret(said: dict[str, Any]) -> str:
    """The oldest forgery: an HMAC whose secret everybody knows."""
    parts = [{"alg": "HS256", "kid": "one"}, said]
    body = ".".join(urlsafe_b64encode(msgspec.json.encode(p)).decode().rstrip("=") for p in parts)
    mark = hmac.new(KEY.as_pem(private=False), body.encode(), hashlib.sha256).digest()
    return f"{body}.{urlsafe_b64encode(mark).decode().rstrip('=')}"


async def verify(fake: FakeProvider, token: str) -> dict[str, Any]:
    return await fake.verified(token, "n", int(clock.now().timestamp()))


NOW = int(clock.now().timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": ["vigie", "another"]},
        {"aud": ["vigie", "another"], "azp": "another"},
        {"azp": "another"},
        {"exp": NOW - 86_400},
        {"exp": None},
        {"iat": NOW + 86_400},
        {"iat": None},
        {"nonce": "m"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
    ],
    # The same in every process: not by their times.
    ids="-".join,
)
async def test_a_token_that_says_something_else_is_refused(changes):
    fake = FakeProvider()
    assert (await verify(fake, signed(claims())))["sub"] == "s-1"
    with pytest.raises(Refused):
        await verify(fake, signed(claims(**changes)))


async def test_several_audiences_are_fine_when_it_was_made_for_us():
    said = claims(aud=["vigie", "another"], azp="vigie")
    assert (await verify(FakeProvider(), signed(said)))["sub"] == "s-1"


async def test_a_token_of_another_key_or_way_of_signing_is_refused():
    fake = FakeProvider()
    secret = jwk.OctKey.import_key("vigie-is-the-client-secret-of-32-bytes")
    # The same key, free to sign in another way.
    undesigned = jwk.RSAKey.import_key(KEY.as_pem(private=True), {"kid": "one"})
    forged = [
        signed(claims(), OTHER),
        jwt.encode({"alg": "HS256", "kid": "one"}, claims(), secret, algorithms=["HS256"]),
        with_public_key_as_secret(claims()),
        signed(claims(), undesigned, alg="RS384"),
        signed(claims())[:-8] + "AAAAAAAA",
        "e30.e30.", "", "a.b", "x" * 100, signed(claims()).rpartition(".")[0] + ".",
    ]  # fmt: skip
    for token in forged:
        with pytest.raises(Refused):
            await verify(fake, token)


async def test_new_keys_are_found_and_asked_for_rarely():
    fake = FakeProvider()
    await verify(fake, signed(claims()))
    fake.keys = [NEXT]
    # A key that is not known asks again, once in a while: not for everybody who makes one up.
    with pytest.raises(Refused):
        await verify(fake, signed(claims(), NEXT))
    assert fake.asked.count("/keys") == 1
    stored = fake._keys
    assert stored is not None
    fake._keys = (stored[0] - providers._KEYS_AGAIN_S, stored[1])
    await verify(fake, signed(claims(), NEXT))
    assert fake.asked.count("/keys") == 2


async def test_the_level_that_is_demanded_must_be_said():
    fake = FakeProvider(acr=("eidas2", "eidas3"))
    assert (await verify(fake, signed(claims(acr="eidas3"))))["acr"] == "eidas3"
    for said in (claims(), claims(acr="eidas1"), claims(acr=["eidas2"])):
        with pytest.raises(Refused):
            await verify(fake, signed(said))


async def test_userinfo_of_another_subject_is_refused():
    fake = FakeProvider(match="email")
    fake.userinfo = {"sub": "s-1", "email": "a@b.fr", "iss": "x"}
    tokens = providers.Tokens(signed(claims()), "access")
    found = await fake.claims(tokens, "n", int(clock.now().timestamp()))
    assert (found["email"], found["iss"]) == ("a@b.fr", ISSUER)
    fake.userinfo["sub"] = "s-2"
    with pytest.raises(Refused):
        await fake.claims(tokens, "n", int(clock.now().timestamp()))


async def test_a_provider_that_calls_itself_otherwise_is_not_asked():
    fake = FakeProvider()
    fake.provider = msgspec.structs.replace(fake.provider, issuer=ISSUER + "/other")
    with pytest.raises(Unavailable):
        await fake.metadata()


def settings_of(folder: Path, said: str) -> Settings:
    file = folder / "oidc.toml"
    file.write_text(said)
    return Settings(oidc_file=str(file))


WHOLE = '[town]\nissuer = "https://a.example"\nclient_id = "vigie"\n'


@pytest.mark.parametrize(
    "wrong",
    [
        "[town]\nissuer = 1\n",
        '[town]\nissuer = "https://a.example"\n',
        '[town]\nissuer = "http://a.example"\nclient_id = "vigie"\n',
        '[town]\nissuer = "ftp://localhost"\nclient_id = "vigie"\n',
        WHOLE.replace("[town]", "[To/wn]"),
        WHOLE + 'scopes = ["email"]\n',
        WHOLE + 'algorithms = ["none"]\n',
        WHOLE + 'algorithms = ["HS256"]\n',
        WHOLE + 'match = "given_name"\n',
        WHOLE + "unknown = 1\n",
        WHOLE + 'client_secret_file = "/nowhere/secret"\n',
        "[town\n",
    ],
)
def test_a_file_that_is_wrong_is_refused_with_what_to_do(tmp_path, wrong):
    with pytest.raises(SetupError) as error:
        providers.read(settings_of(tmp_path, wrong))
    assert "oidc" in error.value.detail.lower()


def test_a_file_that_is_right_is_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    found = providers.read(settings_of(tmp_path, WHOLE + f'client_secret_file = "{secret}"\n'))
    assert (found["town"].client_secret, found["town"].match) == ("hush", "")
    assert providers.read(Settings()) == {}


def test_only_groups_of_the_settings_give_anything():
    provider = Provider(
        ISSUER, "vigie",
        grants=(GroupGrant("lamps", "operator", "21231"), GroupGrant("watch", "viewer")),
    )  # fmt: skip
    assert identities.granted(provider, {"groups": ["lamps", "root", 3]}) == [
        Grant("operator", "21231")
    ]
    assert identities.granted(provider, {"groups": "watch"}) == [Grant("viewer")]
    for said in ({}, {"groups": None}, {"groups": ["Lamps"]}, {"groups": {"lamps": 1}}):
        assert identities.granted(provider, said) == []
    assert identities.granted(Provider(ISSUER, "vigie"), {"groups": ["lamps"]}) == []


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"preferred_username": "Anne.B"}, "anne.b"),
        ({"preferred_username": "root", "email": "A@b.fr"}, "a@b.fr"),
        ({"preferred_username": "é"}, "town-"),
        ({"preferred_username": "a b/c\n"}, "a-b-c"),
        ({"preferred_username": 3, "email": ["x"]}, "town-"),
    ],
)
def test_user_names_for_new_accounts(said, first):
    found = identities.username_for("town", {"sub": "s", **said})
    assert found[0].startswith(first)
    assert found[-1].startswith("town-")


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS)


@pytest.fixture
async def fake(runtime: Runtime, request):
    clients = oidc.Clients.of(runtime)
    made = FakeProvider(**getattr(request, "param", {}))
    clients.all = {"town": made}
    async with runtime.database.unit() as unit:
        await unit.execute(text("delete from access.attempt"))
    yield made
    clients.all = {}


async def journey(browser, fake: FakeProvider, **said: Any) -> str:
    """Leave for the provider, come back with these claims: what the screens are told."""
    left = await browser.get("/api/v1/session/oidc/town")
    assert left.status_code == 303
    return await come_back(browser, fake, left.headers["location"], **said)


async def come_back(browser, fake: FakeProvider, url: str, **said: Any) -> str:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    fake.token = signed(claims(nonce=query["nonce"], **said))
    back = await browser.get(
        "/api/v1/session/oidc/town/callback",
        params={"code": "c", "state": query["state"], "session_state": "foreign"},
    )
    assert back.status_code == 303, back.text
    return back.headers["location"]


async def whoami(browser) -> tuple[str, list[str]]:
    answer = await browser.get("/api/v1/session")
    if answer.status_code != 200:
        return "", []
    told = answer.json()
    browser.headers["X-CSRF-Token"] = told["csrf"]
    return told["user"]["username"], sorted(g["role"] for g in told["grants"])


async def test_nobody_gets_an_account_who_was_given_none(app, runtime, fake):
    async with client(app, base=HERE) as browser:
        said = {"email": "nobody@town.fr", "email_verified": True, "groups": ["lamps"]}
        assert await journey(browser, fake, sub="nobody", **said) == "/?signin=oidc_no_account"
        assert await whoami(browser) == ("", [])
    async with runtime.database.unit() as unit:
        found = await unit.execute(
            text("select count(*) from access.account where username like 'nobody%'")
        )
        assert found.scalar_one() == 0


async def test_pkce_state_and_nonce_are_sent_and_asked_back(app, fake):
    async with client(app, base=HERE) as browser:
        left = await browser.get("/api/v1/session/oidc/town")
        query = parse_qs(urlsplit(left.headers["location"]).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [f"{HERE}/api/v1/session/oidc/town/callback"]
        assert "samesite=lax" in left.headers["set-cookie"].lower()
        assert "httponly" in left.headers["set-cookie"].lower()
        cookie = browser.cookies["vigie-oidc"]
        # Another state, another browser, twice, and a nonce that was another login's.
        back = "/api/v1/session/oidc/town/callback"
        wrong = await browser.get(back, params={"code": "c", "state": "other"})
        assert wrong.headers["location"] == "/?signin=oidc_flow_lost"
        async with client(app, base=HERE) as other:
            lost = await other.get(back, params={"code": "c", "state": query["state"][0]})
            assert lost.headers["location"] == "/?signin=oidc_flow_lost"
        browser.cookies.set("vigie-oidc", cookie, domain="localhost.local")
        fake.token = signed(claims(nonce="of another login"))
        for expected in ("oidc_refused", "oidc_flow_lost"):
            browser.cookies.set("vigie-oidc", cookie, domain="localhost.local")
            answer = await browser.get(back, params={"code": "c", "state": query["state"][0]})
            assert answer.headers["location"] == f"/?signin={expected}"
        assert fake.form["code_verifier"]
        cancelled = await browser.get("/api/v1/session/oidc/town")
        state = parse_qs(urlsplit(cancelled.headers["location"]).query)["state"][0]
        said = await browser.get(back, params={"error": "access_denied", "state": state})
        assert said.headers["location"] == "/?signin=oidc_cancelled"


@pytest.mark.parametrize("fake", [{"match": "email"}], indirect=True)
async def test_a_verified_address_opens_the_account_of_that_name_once(app, runtime, fake):
    async with await person(app, runtime, "anne@town.fr", "viewer", base=HERE):
        pass
    async with client(app, base=HERE) as browser:
        unverified = {"sub": "a-1", "email": "anne@town.fr", "email_verified": False}
        assert (await journey(browser, fake, **unverified)).endswith("oidc_no_account")
        fake.userinfo = {"sub": "a-1", "email": "Anne@town.fr", "email_verified": True}
        assert await journey(browser, fake, sub="a-1") == "/?signin=ok"
        assert await whoami(browser) == ("anne@town.fr", ["viewer"])
        session = (await browser.get("/api/v1/session")).json()
        assert (session["means"], session["fresh"]) == ("town", None)
        assert (await browser.post("/api/v1/passkeys/options")).status_code == 403
    async with client(app, base=HERE) as browser:
        # From now on the subject counts, whatever its address; and nobody else's.
        assert await journey(browser, fake, sub="a-1", email="new@town.fr") == "/?signin=ok"
        said = {"email": "anne@town.fr", "email_verified": True}
        assert (await journey(browser, fake, sub="a-2", **said)).endswith("oidc_no_account")


GROUPS = {"grants": (GroupGrant("lamps", "operator", "21231"), GroupGrant("watch", "viewer"))}


@pytest.mark.parametrize("fake", [GROUPS], indirect=True)
async def test_groups_make_an_account_and_say_what_it_may_do(app, runtime, fake):
    said = {"sub": "g-1", "preferred_username": "Gina", "name": "Gina Groupe"}
    async with client(app, base=HERE) as browser:
        assert await journey(browser, fake, **said, groups=["lamps"]) == "/?signin=ok"
        assert await whoami(browser) == ("gina", ["operator"])
        assert await journey(browser, fake, **said, groups=["watch", "lamps"]) == "/?signin=ok"
        assert await whoami(browser) == ("gina", ["operator", "viewer"])
        held = (await browser.get("/api/v1/session/identities")).json()["items"]
        assert [(i["managed"], i["linked_by"]) for i in held] == [(True, "groups")]
        assert (await journey(browser, fake, **said, groups=[])).endswith("oidc_no_account")
        # Nothing is left, in the session that was open either.
        assert (await whoami(browser))[1] == []
    async with runtime.database.unit() as unit:
        wrong = await unit.execute(
            text("select count(*) from access.account where username = 'gina'")
        )
        assert wrong.scalar_one() == 1


async def test_a_login_is_linked_from_within_a_fresh_session(app, runtime, fake):
    async with contextlib.AsyncExitStack() as stack:
        one = await stack.enter_async_context(
            await person(app, runtime, "oi-one", "viewer", base=HERE)
        )
        other = await stack.enter_async_context(
            await person(app, runtime, "oi-other", "viewer", base=HERE)
        )
        away = (await one.post("/api/v1/session/identities/town")).json()["url"]
        assert await come_back(one, fake, away, sub="l-1") == "/account?signin=link"
        away = (await other.post("/api/v1/session/identities/town")).json()["url"]
        assert await come_back(other, fake, away, sub="l-1") == "/?signin=identity_taken"
        browser = await stack.enter_async_context(client(app, base=HERE))
        assert await journey(browser, fake, sub="l-1") == "/?signin=ok"
        assert (await whoami(browser))[0] == "oi-one"

        # Asked again by the provider, just now and the same person, it is as fresh as a password.
        assert (await browser.post("/api/v1/session/identities/town")).status_code == 403
        now = int(clock.now().timestamp())
        for said, told in [
            ({"sub": "l-1"}, "/?signin=oidc_refused"),
            ({"sub": "l-1", "auth_time": now - 600}, "/?signin=oidc_refused"),
            ({"sub": "l-2", "auth_time": now}, "/?signin=oidc_refused"),
            ({"sub": "l-1", "auth_time": now}, "/account?signin=confirm"),
        ]:
            away = (await browser.post("/api/v1/session/confirm/oidc/town")).json()["url"]
            assert parse_qs(urlsplit(away).query)["prompt"] == ["login"]
            assert await come_back(browser, fake, away, **said) == told
        held = (await browser.get("/api/v1/session/identities")).json()["items"]
        gone = await browser.delete(f"/api/v1/session/identities/{held[0]['id']}")
        assert gone.status_code == 204
        assert (await journey(browser, fake, sub="l-1")).endswith("oidc_no_account")


async def test_an_administrator_links_what_opens_no_more_than_they_hold(app, runtime, fake):
    async with contextlib.AsyncExitStack() as stack:
        admin, local, someone = [
            await stack.enter_async_context(await person(app, runtime, name, grant, base=HERE))
            for name, grant in [
                ("oi-admin", "administrator"),
                ("oi-local", "administrator@21231"),
                ("oi-someone", "operator@21231"),
            ]
        ]
        user = (await someone.get("/api/v1/session")).json()["user"]["id"]
        root = (await admin.get("/api/v1/session")).json()["user"]["id"]
        new = {"provider": "town", "subject": "adm-1"}
        assert (await local.post(f"/api/v1/users/{root}/identities", json=new)).status_code == 404
        unknown = {"provider": "none", "subject": "x"}
        refused = await admin.post(f"/api/v1/users/{user}/identities", json=unknown)
        assert (refused.status_code, refused.json()["code"]) == (422, "provider_unknown")
        made = await local.post(f"/api/v1/users/{user}/identities", json=new)
        assert made.status_code == 201, made.text
        browser = await stack.enter_async_context(client(app, base=HERE))
        assert await journey(browser, fake, sub="adm-1") == "/?signin=ok"
        assert (await whoami(browser))[0] == "oi-someone"
        (held,) = (await admin.get(f"/api/v1/users/{user}/identities")).json()["items"]
        assert (
            await admin.delete(f"/api/v1/users/{user}/identities/{held['id']}")
        ).status_code == 204
        # A closed account is opened by nothing.
        await admin.post(f"/api/v1/users/{user}/identities", json=new)
        await admin.patch(f"/api/v1/users/{user}", json={"active": False})
        assert (await journey(browser, fake, sub="adm-1")).endswith("oidc_no_account")
