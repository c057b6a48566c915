"""Sessions, accounts and tokens over HTTP."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from vigie.core import clock
from vigie.core.access import attempts, devices, sessions, tokens, users
from vigie.core.access.catalogue import ANY_LOGIN, PUBLIC, Catalogue
from vigie.core.access.logins import Logins
from vigie.core.access.model import (
    Caller,
    CreatedToken,
    CreatedUser,
    Login,
    NewToken,
    NewUser,
    Person,
    Secret,
    Session,
    Token,
    User,
    UserPatch,
)
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, Principal
from vigie.core.web import IfMatch, Limit, OpenUnit, Page, Tagged, delete, get, patch, post
from vigie.core.web.guard import (
    client_of,
    cookie_name,
    device_cookie_name,
    is_loopback,
    is_relayed,
    is_secure,
    request_id_of,
    server_of,
)


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who says they are who."""

    username: Annotated[str, msgspec.Meta(max_length=256)]
    password: Secret


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The present password and the one to replace it: at least 12 characters."""

    current: Secret
    new: Secret


class Password(msgspec.Struct, frozen=True):
    """A first password, shown once."""

    password: str


class RoleShown(msgspec.Struct, frozen=True):
    """A role and what it may do."""

    name: str
    description: str
    permissions: list[str]


class PermissionShown(msgspec.Struct, frozen=True):
    """One thing that may be done."""

    name: str
    description: str


class Roles(msgspec.Struct, frozen=True):
    """The catalogue of roles and permissions."""

    roles: list[RoleShown]
    permissions: list[PermissionShown]


@post("/session", permission=PUBLIC)
async def log_in(
    request: Request[Any, Any, Any], runtime: Runtime, catalogue: Catalogue, data: Credentials
) -> Session:
    """Log in: answers with the session and sets its cookie, and one by which this browser is
    recognised at the next login."""
    secure = is_secure(request)
    here = is_loopback(client_of(request)) and is_loopback(server_of(request))
    if not secure and (not here or is_relayed(request)):
        raise Forbidden(
            "https_required",
            "Passwords are not taken over plain http from another machine: set"
            " VIGIE_TLS_CERTIFICATE and VIGIE_TLS_KEY, name the https proxy in front in"
            " VIGIE_TRUSTED_PROXIES, or open http://localhost on the machine.",
        )
    secret = await sessions.log_in(runtime, data.username, data.password, _visitor(request))
    caller = await Logins.of(runtime).by_session(secret)
    if caller is None or caller.login is None:
        raise Forbidden("account_closed", "This account was closed a moment ago.")
    cookie = Cookie(
        key=cookie_name(request),
        value=secret,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
        max_age=round(runtime.settings.session_hours * 3600),
    )
    device = Cookie(
        key=device_cookie_name(request),
        value=devices.issue(runtime.settings.root / "secrets", caller.login.username, clock.now()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
        max_age=round(devices.LASTS.total_seconds()),
    )
    return Response(  # type: ignore[return-value]
        _session(runtime, caller, caller.login, catalogue),
        cookies=[cookie, device] if device.value else [cookie],
    )


@get("/session", permission=ANY_LOGIN, before_password_change=True)
async def read_session(caller: Caller, runtime: Runtime, catalogue: Catalogue) -> Session:
    """Who is logged in, and what they may do."""
    return _session(runtime, caller, _login(caller), catalogue)


@delete("/session", permission=ANY_LOGIN, before_password_change=True, status=204)
async def log_out(
    request: Request[Any, Any, Any], unit: Unit, runtime: Runtime, caller: Caller
) -> None:
    """Log out."""
    await sessions.log_out(unit, Logins.of(runtime), _login(caller))
    gone = Cookie(
        key=cookie_name(request), value="", path="/", secure=is_secure(request), httponly=True,
        samesite="strict", max_age=0,
    )  # fmt: skip
    return Response(None, status_code=204, cookies=[gone])  # type: ignore[return-value]


@post("/session/password", permission=ANY_LOGIN, before_password_change=True)
async def change_password(
    request: Request[Any, Any, Any],
    runtime: Runtime,
    caller: Caller,
    catalogue: Catalogue,
    data: NewPassword,
) -> Session:
    """Choose a new password; every other session of this account ends."""
    login = _login(caller)
    await sessions.change_password(runtime, login, data.current, data.new, _visitor(request))
    changed = msgspec.structs.replace(login, must_change_password=False)
    return _session(runtime, caller, changed, catalogue)


@get("/roles", permission=ANY_LOGIN)
async def list_roles(catalogue: Catalogue) -> Roles:
    """The roles there are, and what each may do."""
    declared = catalogue.permissions.values()
    return Roles(
        [
            RoleShown(
                role.name,
                role.description,
                sorted(p.name for p in declared if role.name in p.roles),
            )
            for role in catalogue.roles.values()
        ],
        [PermissionShown(p.name, p.description) for p in declared],
    )


@get("/users", permission="access.read")
async def list_users(unit: Unit, cursor: str | None = None, limit: Limit = 100) -> Page[User]:
    """Accounts within your grants, by user name."""
    return await users.list_users(unit, cursor, limit)


@post("/users", permission="access.manage", status=201)
async def create_user(
    open_unit: OpenUnit, runtime: Runtime, principal: Principal, data: NewUser
) -> CreatedUser:
    """Create an account; its first password is in the answer, once."""
    person = principal.owner or principal.id
    await attempts.check_names(runtime.database, person)
    try:
        async with open_unit() as unit:
            return await users.create_user(unit, data)
    except Conflict as conflict:
        if conflict.code == users.NAME_UNAVAILABLE:
            await attempts.name_refused(runtime.database, person)
        raise


@get("/users/{user_id:uuid}", permission="access.read")
async def read_user(unit: Unit, user_id: UUID) -> Tagged[User]:
    """One account."""
    user = await users.read_user(unit, user_id)
    return Tagged(user, str(user.version))


@patch("/users/{user_id:uuid}", permission="access.manage")
async def update_user(
    unit: Unit, runtime: Runtime, user_id: UUID, data: UserPatch, if_match: IfMatch = None
) -> Tagged[User]:
    """Change a name, a language, grants (all of them at once), or close the account."""
    user = await users.update_user(unit, Logins.of(runtime), user_id, data, if_match)
    return Tagged(user, str(user.version))


@post("/users/{user_id:uuid}/reset-password", permission="access.manage")
async def reset_password(unit: Unit, runtime: Runtime, user_id: UUID) -> Password:
    """A new first password for someone else, to be changed at the next login; their sessions and
    API tokens end. One's own is changed at `/session/password`."""
    return Password(await users.reset_password(unit, Logins.of(runtime), user_id))


@get("/tokens", permission="access.tokens")
async def list_tokens(
    unit: Unit,
    caller: Caller,
    catalogue: Catalogue,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[Token]:
    """Your API tokens; everyone's for who administers everything."""
    return await tokens.list_tokens(unit, _manages_all(caller, catalogue), cursor, limit)


@post("/tokens", permission="access.tokens", status=201)
async def create_token(
    unit: Unit, caller: Caller, catalogue: Catalogue, data: NewToken
) -> CreatedToken:
    """Make an API token; its secret is in the answer, once."""
    return await tokens.create_token(unit, caller, catalogue, data)


@delete("/tokens/{token_id:uuid}", permission="access.tokens", status=204)
async def revoke_token(
    unit: Unit, runtime: Runtime, caller: Caller, catalogue: Catalogue, token_id: UUID
) -> None:
    """Revoke an API token at once."""
    await tokens.revoke_token(unit, Logins.of(runtime), token_id, _manages_all(caller, catalogue))


def _visitor(request: Request[Any, Any, Any]) -> sessions.Visitor:
    return sessions.Visitor(
        address=client_of(request),
        agent=request.headers.get("user-agent", ""),
        request_id=request_id_of(request),
        old_secret=request.cookies.get(cookie_name(request), ""),
        device=request.cookies.get(device_cookie_name(request), ""),
    )


def _login(caller: Caller) -> Login:
    if caller.login is None:
        raise Forbidden("session_needed", "This is for a person's session, not for a token.")
    return caller.login


def _manages_all(caller: Caller, catalogue: Catalogue) -> bool:
    return catalogue.scope_for(caller.principal, "access.manage") == EVERYTHING


def _session(runtime: Runtime, caller: Caller, login: Login, catalogue: Catalogue) -> Session:
    person = Person(
        login.user,
        login.username,
        login.display_name,
        login.language,
        login.must_change_password,
    )
    return Session(
        user=person,
        grants=list(caller.principal.grants),
        permissions=sorted(catalogue.held_by(caller.principal)),
        rooms=[room.name for room in runtime.house.rooms],
        csrf=login.csrf,
        expires=login.expires,
    )


ROUTES = [
    log_in,
    read_session,
    log_out,
    change_password,
    list_roles,
    list_users,
    create_user,
    read_user,
    update_user,
    reset_password,
    list_tokens,
    create_token,
    revoke_token,
]
