"""Sessions, accounts and tokens over HTTP."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from vigie.core.access import attempts, rights_api, sessions, signin_api, tokens, users
from vigie.core.access.answers import demand_private, entered, login_of, session_of, visitor_of
from vigie.core.access.logins import Logins
from vigie.core.access.model import (
    Caller,
    CreatedToken,
    CreatedUser,
    NewToken,
    NewUser,
    Secret,
    Session,
    Token,
    User,
    UserPatch,
)
from vigie.core.database import Unit
from vigie.core.errors import Conflict
from vigie.core.permissions import ANY_LOGIN, PUBLIC, Catalogue
from vigie.core.runtime import Runtime
from vigie.core.scope import NOTHING, Principal
from vigie.core.web import IfMatch, Limit, OpenUnit, Page, Tagged, delete, get, patch, post
from vigie.core.web.guard import cookie_name, is_secure


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


@post("/session", permission=PUBLIC)
async def log_in(
    request: Request[Any, Any, Any], runtime: Runtime, catalogue: Catalogue, data: Credentials
) -> Session:
    """Log in: answers with the session and sets its cookie, and one by which this browser is
    recognised at the next login."""
    demand_private(request)
    secret = await sessions.log_in(runtime, data.username, data.password, visitor_of(request))
    session, cookies = await entered(request, runtime, catalogue, secret)
    return Response(session, cookies=cookies)  # type: ignore[return-value]


@get("/session", permission=ANY_LOGIN, before_password_change=True)
async def read_session(caller: Caller, runtime: Runtime, catalogue: Catalogue) -> Session:
    """Who is logged in, and what they may do."""
    return session_of(runtime, caller, login_of(caller), catalogue)


@delete("/session", permission=ANY_LOGIN, before_password_change=True, status=204)
async def log_out(
    request: Request[Any, Any, Any], unit: Unit, runtime: Runtime, caller: Caller
) -> None:
    """Log out."""
    await sessions.log_out(unit, Logins.of(runtime), login_of(caller))
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
    login = login_of(caller)
    await sessions.change_password(runtime, login, data.current, data.new, visitor_of(request))
    changed = msgspec.structs.replace(login, must_change_password=False)
    return session_of(runtime, caller, changed, catalogue)


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


def _manages_all(caller: Caller, catalogue: Catalogue) -> bool:
    return (catalogue.scope_for(caller.principal, "access.manage") or NOTHING).everything


ROUTES = [
    *signin_api.ROUTES,
    *rights_api.ROUTES,
    log_in,
    read_session,
    log_out,
    change_password,
    list_users,
    create_user,
    read_user,
    update_user,
    reset_password,
    list_tokens,
    create_token,
    revoke_token,
]
