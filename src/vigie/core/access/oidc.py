"""Logging in at an OpenID provider: code flow with PKCE, state and nonce.

What must be remembered between leaving and coming back is in a signed cookie of the browser that
left; it is answered once. Which account a subject opens is in `core.access.identities`.
"""

import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access import attempts, identities, providers, signed
from vigie.core.access.logins import Logins
from vigie.core.access.model import Login
from vigie.core.access.sessions import Visitor, open_session
from vigie.core.access.turns import Turns
from vigie.core.errors import Invalid, NotFound, SetupError, Unauthenticated
from vigie.core.ids import secret
from vigie.core.journal import Personal
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM, Principal

log = logger(__name__)
Purpose = Literal["login", "link", "confirm"]
# Each waits for a provider, some of which are slow: more at once than passwords.
TURNS = Turns(at_once=8, waiting=40, of_one_stranger=16, of_one_recognised=4)
_PURPOSE = "oidc"
_JUST_NOW = timedelta(minutes=2)


class Flow(msgspec.Struct, frozen=True):
    """A login on its way, in the browser's cookie."""

    purpose: Purpose
    provider: str
    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    account: UUID | None = None
    session: UUID | None = None


class Departure(msgspec.Struct, frozen=True):
    """Where the browser goes, and the cookie it takes along."""

    url: str
    cookie: str


class Return(msgspec.Struct, frozen=True):
    """What the provider sent the browser back with."""

    code: str
    state: str
    error: str
    issuer: str


class Arrival(msgspec.Struct, frozen=True):
    """What came of it: a session's secret after a login, nothing else to hand over otherwise."""

    purpose: Purpose
    secret: str = ""


class Clients:
    """The providers of a process, read once from the file of the settings."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        try:
            found = providers.read(runtime.settings)
            runtime.component("oidc").set("ok")
        except SetupError as error:
            log.error("oidc_settings", detail=error.detail)
            runtime.component("oidc").set("degraded", "oidc_settings")
            found = {}
        self.all = {name: providers.Client(name, provider) for name, provider in found.items()}

    @classmethod
    def of(cls, runtime: Runtime) -> "Clients":
        """The ones of this process."""
        if runtime not in _clients:
            _clients[runtime] = cls(runtime)
        return _clients[runtime]

    def named(self, name: str) -> providers.Client:
        """One provider. Raises NotFound."""
        if name not in self.all:
            raise NotFound(
                "provider_unknown", f"There is no login service {name}.", {"provider": name}
            )
        return self.all[name]


_clients: "WeakKeyDictionary[Runtime, Clients]" = WeakKeyDictionary()


async def depart(
    runtime: Runtime, name: str, purpose: Purpose, origin: str, login: Login | None = None
) -> Departure:
    """Send a browser to a provider. Raises NotFound, Unavailable."""
    client = Clients.of(runtime).named(name)
    metadata = await client.metadata()
    flow = Flow(
        purpose,
        name,
        state=secret(),
        nonce=secret(),
        verifier=secrets.token_urlsafe(48),
        redirect_uri=f"{origin}/api/v1/session/oidc/{name}/callback",
        account=login.user if login else None,
        session=login.session if login else None,
    )
    challenge = urlsafe_b64encode(sha256(flow.verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client.provider.client_id,
        "redirect_uri": flow.redirect_uri,
        "scope": " ".join(client.provider.scopes),
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if client.provider.acr:
        asked["acr_values"] = " ".join(client.provider.acr)
    if purpose == "confirm":
        asked |= {"prompt": "login", "max_age": "0"}
    join = "&" if "?" in metadata.authorization_endpoint else "?"
    return Departure(
        metadata.authorization_endpoint + join + urlencode(asked),
        signed.seal(_folder(runtime), _PURPOSE, clock.now(), msgspec.to_builtins(flow)),
    )


async def arrive(
    runtime: Runtime, name: str, returned: Return, cookie: str, visitor: Visitor
) -> Arrival:
    """A browser came back. Raises Unauthenticated, Invalid, TooMany, Unavailable."""
    client = Clients.of(runtime).named(name)
    flow = await _take(runtime, name, returned, cookie)
    if returned.error:
        log.info("oidc_error", provider=name, error=returned.error[:200])
        code = "oidc_cancelled" if returned.error == "access_denied" else "oidc_refused"
        raise Unauthenticated(code, f"The login service {name} let nobody in.", {"provider": name})
    attempt = attempts.Attempt("", visitor.address, None, "oidc")
    async with TURNS.turn(attempt.source):
        await attempts.begin(runtime.database, attempt)
        try:
            claims = await _claims(client, flow, returned)
            arrival = await _enter(runtime, client, flow, claims, visitor)
        except providers.Refused as refused:
            log.warning("oidc_refused", provider=name, detail=str(refused))
            await _note_failure(runtime, name, visitor)
            raise Unauthenticated(
                "oidc_refused",
                f"What the login service {name} says is not accepted: the log says why.",
                {"provider": name},
            ) from refused
        except Unauthenticated:
            await _note_failure(runtime, name, visitor)
            raise
        await attempts.succeeded(runtime.database, attempt)
        return arrival


async def _take(runtime: Runtime, name: str, returned: Return, cookie: str) -> Flow:
    """The login that this browser is on, once."""
    now = clock.now()
    try:
        content = signed.unseal(_folder(runtime), _PURPOSE, now, cookie)
        flow = msgspec.convert(content, Flow)
    except (ValueError, msgspec.MsgspecError) as error:
        raise _elsewhere() from error
    if flow.provider != name or not secrets.compare_digest(
        flow.state.encode(), returned.state.encode()
    ):
        raise _elsewhere()
    async with runtime.database.unit() as unit:
        if not await signed.spend(unit, cookie, now):
            raise _elsewhere()
    return flow


async def _claims(client: providers.Client, flow: Flow, returned: Return) -> dict[str, Any]:
    # RFC 9207: an answer that another provider gave.
    if returned.issuer and returned.issuer != client.provider.issuer:
        raise providers.Refused(f"the answer is of {returned.issuer[:200]!r}")
    if not returned.code:
        raise providers.Refused("the answer has no code")
    tokens = await client.redeem(returned.code, flow.verifier, flow.redirect_uri)
    return await client.claims(tokens, flow.nonce, int(clock.now().timestamp()))


async def _enter(
    runtime: Runtime,
    client: providers.Client,
    flow: Flow,
    claims: dict[str, Any],
    visitor: Visitor,
) -> Arrival:
    subject: str = claims["sub"]
    if flow.purpose == "login":
        async with runtime.database.unit(SYSTEM, request_id=visitor.request_id) as unit:
            account = await identities.account_for(unit, client.name, client.provider, claims)
            Logins.of(runtime).changed(unit, account.id)
        if account.refused:
            raise Unauthenticated(
                account.refused,
                f"You are known to {client.name}, but have no account here: ask an administrator.",
                {"provider": client.name},
            )
        fresh = _authenticated(claims)
        opened = await open_session(
            runtime, account.id, account.username, None, visitor, client.name, fresh
        )
        return Arrival("login", opened)
    assert flow.account is not None
    principal = Principal(flow.account, "", "user")
    async with runtime.database.unit(principal, request_id=visitor.request_id) as unit:
        live = await unit.execute(
            text(
                "select a.username from access.session s join access.account a on a.id = s.account"
                " where s.id = :session and s.account = :account and s.expires > :now"
                " and a.active"
            ),
            {"session": flow.session, "account": flow.account, "now": clock.now()},
        )
        if live.scalar_one_or_none() is None:
            raise _elsewhere()
        if flow.purpose == "link":
            await identities.link(
                unit, flow.account, client.name, subject, identities.label_of(claims), "owner"
            )
        else:
            await _confirm(unit, client.name, flow, claims)
        Logins.of(runtime).changed(unit, flow.account)
    return Arrival(flow.purpose)


async def _confirm(unit: Any, name: str, flow: Flow, claims: dict[str, Any]) -> None:
    """The provider asked the person again, the same person, just now."""
    now, at = clock.now(), _authenticated(claims)
    if at is None or now - at > _JUST_NOW:
        raise providers.Refused("the person was not asked again (auth_time)")
    if await identities.owner_of(unit, name, claims["sub"]) != flow.account:
        raise providers.Refused("another person answered")
    await unit.execute(
        text("update access.session set fresh = :now where id = :id"),
        {"now": now, "id": flow.session},
    )
    await journal.record(unit, "access.confirmed", params={"means": name})


def _authenticated(claims: dict[str, Any]) -> datetime | None:
    """When the provider last asked the person; never later than now."""
    at = claims.get("auth_time")
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 < at < 1e11:
        return None
    return min(datetime.fromtimestamp(at, UTC), clock.now())


async def _note_failure(runtime: Runtime, name: str, visitor: Visitor) -> None:
    async with runtime.database.unit(SYSTEM, request_id=visitor.request_id) as unit:
        await journal.record(
            unit,
            "access.login_failed",
            params={"known": False, "means": name},
            personal={"address": Personal(visitor.address, "")},
        )


def _folder(runtime: Runtime) -> Any:
    return runtime.settings.root / "secrets"


def _elsewhere() -> Invalid:
    return Invalid(
        "oidc_flow_lost", "This login began in another browser or too long ago: begin again."
    )
