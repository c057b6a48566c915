"""Passkeys, logins at providers, fresh logins and one's own sessions over HTTP."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Response
from litestar.datastructures import Cookie

from vigie.core.access import identities, oidc, passkeys, sessions
from vigie.core.access.answers import (
    AnyRequest,
    demand_private,
    entered,
    login_of,
    origin_of,
    place_of,
    session_of,
    visitor_of,
)
from vigie.core.access.demands import demand_fresh
from vigie.core.access.identities import Identity
from vigie.core.access.logins import Logins
from vigie.core.access.model import Caller, Secret, Session
from vigie.core.access.passkeys import Credential, NewPasskey, Options, Passkey
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, VigieError
from vigie.core.permissions import ANY_LOGIN, PUBLIC, Catalogue
from vigie.core.runtime import Runtime
from vigie.core.web import delete, get, post
from vigie.core.web.guard import is_secure

_FLOW_S = 300


class ProviderShown(msgspec.Struct, frozen=True):
    """A login service: the name in addresses, and what its button says in each language."""

    name: str
    label: dict[str, str]


class Ways(msgspec.Struct, frozen=True):
    """How one may log in here, beside a password. `passkeys` is false at a bare address."""

    passkeys: bool
    providers: list[ProviderShown]


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password of who is logged in."""

    password: Secret


class Away(msgspec.Struct, frozen=True):
    """Where the browser is to go."""

    url: str


class Passkeys(msgspec.Struct, frozen=True):
    """One's own passkeys."""

    items: list[Passkey]


class OwnSessions(msgspec.Struct, frozen=True):
    """One's own live sessions."""

    items: list[sessions.OwnSession]


class Identities(msgspec.Struct, frozen=True):
    """The logins at providers that open an account."""

    items: list[Identity]


class Ended(msgspec.Struct, frozen=True):
    """How many sessions ended."""

    count: int


@get("/session/ways", permission=PUBLIC)
async def read_ways(request: AnyRequest, runtime: Runtime) -> Ways:
    """How one may log in here, beside a password."""
    try:
        place_of(request)
        named = True
    except Forbidden:
        named = False
    clients = oidc.Clients.of(runtime).all
    return Ways(named, [ProviderShown(n, _label(n, c.provider.label)) for n, c in clients.items()])


@post("/session/passkey/options", permission=PUBLIC)
async def begin_passkey(request: AnyRequest, runtime: Runtime) -> Options:
    """A challenge for a passkey: to log in, or to confirm who one is."""
    return passkeys.begin_login(runtime, place_of(request))


@post("/session/passkey", permission=PUBLIC)
async def log_in_with_passkey(
    request: AnyRequest, runtime: Runtime, catalogue: Catalogue, data: Credential
) -> Session:
    """Log in with a passkey: answers as a login with a password does."""
    demand_private(request)
    secret = await passkeys.log_in(runtime, data, place_of(request), visitor_of(request))
    session, cookies = await entered(request, runtime, catalogue, secret)
    return Response(session, cookies=cookies)  # type: ignore[return-value]


@post("/session/confirm", permission=ANY_LOGIN)
async def confirm(
    request: AnyRequest, runtime: Runtime, caller: Caller, catalogue: Catalogue, data: Confirmation
) -> Session:
    """Confirm with the password who one is: what asks for a fresh login is open for minutes."""
    login = login_of(caller)
    at = await sessions.confirm(runtime, login, data.password, visitor_of(request))
    return session_of(runtime, caller, msgspec.structs.replace(login, fresh=at), catalogue)


@post("/session/confirm/passkey", permission=ANY_LOGIN)
async def confirm_with_passkey(
    request: AnyRequest, runtime: Runtime, caller: Caller, catalogue: Catalogue, data: Credential
) -> Session:
    """Confirm with a passkey who one is."""
    login, place = login_of(caller), place_of(request)
    at = await passkeys.confirm(runtime, login, data, place, visitor_of(request))
    return session_of(runtime, caller, msgspec.structs.replace(login, fresh=at), catalogue)


@post("/session/confirm/oidc/{provider:str}", permission=ANY_LOGIN)
async def confirm_at_provider(
    request: AnyRequest, runtime: Runtime, caller: Caller, provider: str
) -> Away:
    """Be asked again by the provider who one is."""
    return await _away(request, runtime, caller, provider, "confirm")


@get("/session/oidc/{provider:str}", permission=PUBLIC, status=303)
async def log_in_at_provider(request: AnyRequest, runtime: Runtime, provider: str) -> None:
    """Send the browser to a provider; it comes back to the callback."""
    try:
        demand_private(request)
        departure = await oidc.depart(runtime, provider, "login", origin_of(request))
    except VigieError as error:
        return _home(request, error.code)
    return Response(  # type: ignore[return-value]
        None,
        status_code=303,
        headers={"Location": departure.url},
        cookies=[_flow_cookie(request, departure.cookie, _FLOW_S)],
    )


@get(
    "/session/oidc/{provider:str}/callback",
    permission=PUBLIC,
    status=303,
    foreign_query=True,
)
async def return_from_provider(
    request: AnyRequest,
    runtime: Runtime,
    catalogue: Catalogue,
    provider: str,
    code: str = "",
    state_: str = "",
    error: str = "",
    iss: str = "",
) -> None:
    """Where a provider sends the browser back to; it goes on to the screens, which say what came
    of it."""
    returned = oidc.Return(code, state_, error, iss)
    held = request.cookies.get(_flow_name(request), "")
    try:
        demand_private(request)
        arrival = await oidc.arrive(runtime, provider, returned, held, visitor_of(request))
        if arrival.purpose != "login":
            return _home(request, arrival.purpose, "/account")
        _, cookies = await entered(request, runtime, catalogue, arrival.secret)
    except VigieError as refusal:
        return _home(request, refusal.code)
    return _home(request, "ok", cookies=cookies)


@get("/session/identities", permission=ANY_LOGIN)
async def list_own_identities(unit: Unit, caller: Caller) -> Identities:
    """The logins at providers that open one's own account."""
    return Identities(await identities.listed(unit, login_of(caller).user))


@post("/session/identities/{provider:str}", permission=ANY_LOGIN)
async def link_own_identity(
    request: AnyRequest, runtime: Runtime, caller: Caller, provider: str
) -> Away:
    """Let a login at a provider open one's own account, from then on. Needs a fresh login."""
    demand_fresh(caller)
    return await _away(request, runtime, caller, provider, "link")


@delete("/session/identities/{identity:uuid}", permission=ANY_LOGIN, status=204)
async def unlink_own_identity(unit: Unit, caller: Caller, identity: UUID) -> None:
    """Let a login at a provider open one's own account no more. Needs a fresh login."""
    login = login_of(caller)
    demand_fresh(caller)
    held = next((i for i in await identities.listed(unit, login.user) if i.id == identity), None)
    if held is not None and held.managed:
        raise Conflict(
            "identity_managed", "Your account lives by this login: ask an administrator."
        )
    await identities.unlink(unit, login.user, identity)


@get("/passkeys", permission=ANY_LOGIN)
async def list_passkeys(unit: Unit, caller: Caller) -> Passkeys:
    """One's own passkeys."""
    login_of(caller)
    return Passkeys(await passkeys.listed(unit))


@post("/passkeys/options", permission=ANY_LOGIN)
async def begin_new_passkey(request: AnyRequest, runtime: Runtime, caller: Caller) -> Options:
    """What the browser makes a new passkey from. Needs a fresh login."""
    login = login_of(caller)
    demand_fresh(caller)
    return await passkeys.begin_registration(runtime, login, place_of(request))


@post("/passkeys", permission=ANY_LOGIN, status=201)
async def add_passkey(
    request: AnyRequest, unit: Unit, runtime: Runtime, caller: Caller, data: NewPasskey
) -> Passkey:
    """Keep a passkey that the browser just made. Needs a fresh login."""
    return await passkeys.register(unit, runtime, login_of(caller), place_of(request), data)


@delete("/passkeys/{passkey:uuid}", permission=ANY_LOGIN, status=204)
async def remove_passkey(unit: Unit, caller: Caller, passkey: UUID) -> None:
    """Take one's own passkey away. Needs a fresh login."""
    login_of(caller)
    await passkeys.remove(unit, passkey)


@get("/sessions", permission=ANY_LOGIN)
async def list_sessions(unit: Unit, runtime: Runtime, caller: Caller) -> OwnSessions:
    """One's own live sessions: with what, where, since when."""
    idle = timedelta(minutes=runtime.settings.session_idle_minutes)
    return OwnSessions(await sessions.listed(unit, login_of(caller), idle))


@delete("/sessions/{session:uuid}", permission=ANY_LOGIN, status=204)
async def end_session(unit: Unit, runtime: Runtime, caller: Caller, session: UUID) -> None:
    """End one of one's own sessions at once."""
    await sessions.end(unit, Logins.of(runtime), login_of(caller), session)


@post("/sessions/end-others", permission=ANY_LOGIN)
async def end_other_sessions(unit: Unit, runtime: Runtime, caller: Caller) -> Ended:
    """End all of one's own sessions but this one."""
    return Ended(await sessions.end_others(unit, Logins.of(runtime), login_of(caller)))


async def _away(
    request: AnyRequest,
    runtime: Runtime,
    caller: Caller,
    provider: str,
    purpose: Literal["link", "confirm"],
) -> Away:
    departure = await oidc.depart(runtime, provider, purpose, origin_of(request), login_of(caller))
    cookies = [_flow_cookie(request, departure.cookie, _FLOW_S)]
    return Response(Away(departure.url), cookies=cookies)  # type: ignore[return-value]


def _home(
    request: AnyRequest, said: str, path: str = "/", cookies: list[Cookie] | None = None
) -> Any:
    """To the screens; the login on its way is over."""
    return Response(
        None,
        status_code=303,
        headers={"Location": f"{path}?signin={said}"},
        cookies=[_flow_cookie(request, "", 0), *(cookies or [])],
    )


def _flow_name(request: AnyRequest) -> str:
    return "__Host-vigie-oidc" if is_secure(request) else "vigie-oidc"


def _flow_cookie(request: AnyRequest, value: str, max_age: int) -> Cookie:
    """Lax: the provider's page sends the browser back to us."""
    return Cookie(
        key=_flow_name(request),
        value=value,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
        max_age=max_age,
    )


def _label(name: str, label: str | dict[Any, str]) -> dict[str, str]:
    if isinstance(label, str):
        return dict.fromkeys(("fr", "en"), label or name)
    return {language: label.get(language) or name for language in ("fr", "en")}


ROUTES = [
    read_ways,
    begin_passkey,
    log_in_with_passkey,
    confirm,
    confirm_with_passkey,
    confirm_at_provider,
    log_in_at_provider,
    return_from_provider,
    list_own_identities,
    link_own_identity,
    unlink_own_identity,
    list_passkeys,
    begin_new_passkey,
    add_passkey,
    remove_passkey,
    list_sessions,
    end_session,
    end_other_sessions,
]
