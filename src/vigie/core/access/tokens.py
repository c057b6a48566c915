"""API tokens: `vgt_…`, a part of what their owner may do, shown once."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access.logins import Logins, digest
from vigie.core.access.model import Caller, CreatedToken, NewToken, Token
from vigie.core.access.rules import covers
from vigie.core.database import Unit
from vigie.core.errors import Forbidden, Invalid, NotFound
from vigie.core.ids import secret, uuid7
from vigie.core.journal import Change, Personal
from vigie.core.paging import Cursor, Page
from vigie.core.permissions import Catalogue
from vigie.core.scope import scope_of
from vigie.core.text import checked_name

PREFIX = "vgt_"
AFTER = Cursor("access.tokens", UUID)

_SELECT = (
    "select t.id, t.name, a.username as owner, t.permissions, t.grants, t.created, t.expires,"
    " t.used as last_used, t.revoked from access.token t join access.account a on a.id = t.account"
)


async def list_tokens(unit: Unit, everyone: bool, cursor: str | None, limit: int) -> Page[Token]:
    """One's own tokens, or everyone's, newest first."""
    after = AFTER.decode(cursor)
    found = await unit.execute(
        text(
            f"{_SELECT} where (:everyone or t.account = :me)"
            " and (cast(:after as uuid) is null or t.id < :after) order by t.id desc limit :limit"
        ),
        {
            "everyone": everyone,
            "me": unit.principal.id,
            "after": after[0] if after else None,
            "limit": limit + 1,
        },
    )
    tokens = [msgspec.convert(dict(row), Token) for row in found.mappings()]
    return AFTER.page(tokens, limit, lambda token: [token.id])


async def create_token(
    unit: Unit, caller: Caller, catalogue: Catalogue, new: NewToken
) -> CreatedToken:
    """A token with some of the caller's permissions and grants."""
    if caller.login is None:
        raise Forbidden("session_needed", "A token cannot make tokens: log in as a person.")
    name = checked_name("name", new.name)
    held = catalogue.held_by(caller.principal)
    for index, permission in enumerate(new.permissions):
        if permission not in held:
            raise _wrong(f"permissions[{index}]", "not_held", "a permission that you do not hold")
    grants = None if new.grants is None else [item.grant() for item in new.grants]
    for index, grant in enumerate(grants or []):
        mine = [g for g in caller.principal.grants if g.role == grant.role]
        if not covers(scope_of(mine), grant):
            raise _wrong(f"grants[{index}]", "not_held", "more than you were granted")
    now = clock.now()
    if new.expires is not None and new.expires <= now:
        raise _wrong("expires", "in_the_past", "it must lie in the future")
    token, value = uuid7(), PREFIX + secret()
    permissions = sorted(set(new.permissions))
    await unit.execute(
        text(
            "insert into access.token (id, key, account, name, permissions, grants, created,"
            " expires) values (:id, :key, :account, :name, :permissions, cast(:grants as jsonb),"
            " :now, :expires)"
        ),
        {
            "id": token,
            "key": digest(value),
            "account": caller.login.user,
            "name": name,
            "permissions": permissions,
            "grants": None if grants is None else msgspec.json.encode(grants).decode(),
            "now": now,
            "expires": new.expires,
        },
    )
    after: dict[str, Any] = {"permissions": permissions, "grants": grants, "expires": new.expires}
    await journal.record(
        unit,
        "access.token_created",
        params={"token": str(token)},
        changes=[Change("token", str(token), None, after)],
        personal={"name": name},
    )
    return CreatedToken(
        id=token,
        name=name,
        owner=caller.login.username,
        permissions=permissions,
        grants=grants,
        created=now,
        expires=new.expires,
        last_used=None,
        revoked=None,
        token=value,
    )


async def revoke_token(unit: Unit, logins: Logins, token: UUID, everyone: bool) -> None:
    """End a token at once. Raises NotFound for another person's, unless one manages everyone's."""
    found = await unit.execute(
        text(
            "update access.token set revoked = :now where id = :id and revoked is null"
            " and (:everyone or account = :me) returning account, name"
        ),
        {"now": clock.now(), "id": token, "everyone": everyone, "me": unit.principal.id},
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("token_not_found", "There is no such live token.", {"id": str(token)})
    await journal.record(
        unit,
        "access.token_revoked",
        params={"token": str(token)},
        personal={"name": Personal(row.name, f"user:{row.account}")},
    )
    logins.changed(unit, row.account)


def _wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid(
        "invalid_input",
        f"The token cannot be made: {field}: {message}.",
        errors=[{"field": field, "code": code, "message": message}],
    )
