"""Accounts and what they were granted. Nobody gives, sees or takes more than they hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access import passwords
from vigie.core.access.logins import Logins
from vigie.core.access.model import CreatedUser, NewUser, User, UserPatch
from vigie.core.access.rules import RESERVED_USERNAMES, covers, grantable
from vigie.core.access.sessions import set_password
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from vigie.core.ids import uuid7
from vigie.core.journal import Change, Personal
from vigie.core.paging import Cursor, Page
from vigie.core.scope import Grant, Scope
from vigie.core.text import checked_name

AFTER = Cursor("access.users", str)
NAME_UNAVAILABLE = "username_unavailable"

# The same decision as rules.covers, for lists.
# ruff: noqa: S608
_COVERED = (
    "(:everything or not exists (select from access.granted g where g.account = a.id and not ("
    " (g.municipality = '*' and g.trade <> '*' and g.trade = any(:trades))"
    " or (g.municipality <> '*' and (g.municipality = any(:municipalities)"
    "  or (g.trade <> '*' and (g.trade = any(:trades)"
    "   or g.municipality || '/' || g.trade = any(:pairs)))))))"
    " and exists (select from access.granted g where g.account = a.id))"
)
_USER = (
    "select a.id, a.username, a.display_name, a.language, a.must_change_password, a.active,"
    " a.created, a.last_login, a.version,"
    " (select coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'municipality',"
    "  g.municipality, 'trade', g.trade) order by g.role, g.municipality, g.trade), '[]')"
    "  from access.granted g where g.account = a.id) as grants"
    " from access.account a"
)


async def list_users(unit: Unit, cursor: str | None, limit: int) -> Page[User]:
    """Accounts within the caller's scope, by user name. That they were read is recorded."""
    after = AFTER.decode(cursor)
    found = await unit.execute(
        text(f"{_USER} where {_COVERED} and a.username > :after order by a.username limit :limit"),
        {**_scope(unit.scope), "after": after[0] if after else "", "limit": limit + 1},
    )
    total = None
    if after is None:
        counted = await unit.execute(
            text(f"select count(*) from access.account a where {_COVERED}"), _scope(unit.scope)
        )
        total = counted.scalar_one()
        await journal.record(unit, "access.users_read", params={"total": total})
    users = [_user(row) for row in found.mappings()]
    return AFTER.page(users, limit, lambda user: [user.username], total)


async def read_user(unit: Unit, user: UUID, *, lock: bool = False) -> User:
    """One account. Raises NotFound also for one outside the caller's scope."""
    locking = "for no key update of a" if lock else ""
    found = await unit.execute(
        text(f"{_USER} where {_COVERED} and a.id = :id {locking}"),
        {**_scope(unit.scope), "id": user},
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("user_not_found", "There is no such account.", {"id": str(user)})
    return _user(row)


async def create_user(unit: Unit, new: NewUser) -> CreatedUser:
    """An account with a first password to be changed. Raises Conflict for a name that cannot be
    given; who administers a part of the city is not told whether somebody elsewhere has it."""
    display_name = checked_name("display_name", new.display_name)
    grants = [item.grant() for item in new.grants]
    _demand_covered(unit, grants)
    if not grants and not unit.scope.everything:
        raise _beyond()
    password = passwords.random_password()
    user, now = uuid7(), clock.now()
    made = await unit.execute(
        text(
            "insert into access.account (id, username, display_name, language, password,"
            " password_changed, created) values (:id, :username, :display_name, :language,"
            " :password, :now, :now) on conflict (username) do nothing"
        ),
        {
            "id": user,
            "username": new.username,
            "display_name": display_name,
            "language": new.language,
            "password": await passwords.hash_password(password),
            "now": now,
        },
    )
    if made.rowcount == 0 and unit.scope.everything:
        raise Conflict(
            "username_taken",
            f"There is already an account {new.username}: choose another name.",
            {"username": new.username},
        )
    if made.rowcount == 0 or new.username in RESERVED_USERNAMES:
        raise Conflict(
            NAME_UNAVAILABLE,
            "This user name cannot be given: it is in use or reserved. Choose another name.",
        )
    await give(unit, user, grants)
    await journal.record(
        unit,
        "access.user_created",
        params={"user": str(user)},
        changes=[Change("user", str(user), None, {"language": new.language, "grants": grants})],
        personal={"username": Personal(new.username, f"user:{user}")},
    )
    told = msgspec.structs.asdict(await read_user(unit, user))
    return CreatedUser(**told, password=password)


async def update_user(
    unit: Unit, logins: Logins | None, user: UUID, patch: UserPatch, if_match: str | None = None
) -> User:
    """Change an account. Raises Conflict when nobody would be left to administer."""
    if patch.display_name is not msgspec.UNSET:
        name = checked_name("display_name", patch.display_name)
        patch = msgspec.structs.replace(patch, display_name=name)
    before = await read_user(unit, user, lock=True)
    if if_match is not None and if_match.strip('"') not in ("*", str(before.version)):
        raise PreconditionFailed(
            "version_changed", "The account changed meanwhile: read it again, then decide."
        )
    fields = {
        name: value
        for name in ("display_name", "language", "active")
        if (value := getattr(patch, name)) is not msgspec.UNSET
    }
    if fields.get("active") is False and user == unit.principal.id:
        raise Conflict("own_account", "You cannot close your own account: ask a colleague.")
    sets = "".join(f"{name} = :{name}, " for name in fields)
    await unit.execute(
        text(f"update access.account set {sets}version = version + 1 where id = :id"),
        {**fields, "id": user},
    )
    if patch.grants is not msgspec.UNSET:
        grants = [item.grant() for item in patch.grants]
        _demand_covered(unit, grants, before.grants)
        if not grants and not unit.scope.everything:
            raise _beyond()
        await unit.execute(text("delete from access.granted where account = :id"), {"id": user})
        await give(unit, user, grants)
    if fields.get("active") is False:
        await unit.execute(text("delete from access.session where account = :id"), {"id": user})
        await _revoke_tokens(unit, user)
    await _demand_an_administrator(unit)
    after = await read_user(unit, user)
    await journal.record(
        unit,
        "access.user_updated",
        params={"user": str(user), "fields": sorted(fields)},
        changes=[Change("user", str(user), _told(before), _told(after))],
        personal={"username": Personal(after.username, f"user:{user}")},
    )
    if logins is not None:
        logins.changed(unit, user)
    return after


async def reset_password(unit: Unit, logins: Logins | None, user: UUID) -> str:
    """A new first password, to be changed at the next login; every session, API token and passkey
    of the account ends.

    Raises Conflict for one's own: whoever finds a screen open must not take it."""
    account = await read_user(unit, user, lock=True)
    if user in (unit.principal.id, unit.principal.owner):
        raise Conflict(
            "own_password",
            "This would reset your own password: change it with POST /api/v1/session/password, "
            "which asks for the present one.",
        )
    demand_reach(unit, account)
    password = passwords.random_password()
    hashed = await passwords.hash_password(password)
    await set_password(unit, user, hashed, must_change=True)
    # Whoever had the account may have added ways in of their own.
    passkeys = await unit.execute(
        text("delete from access.passkey where account = :id"), {"id": user}
    )
    await unit.execute(
        text("delete from access.identity where account = :id and linked_by = 'owner'"),
        {"id": user},
    )
    await journal.record(
        unit,
        "access.password_reset",
        params={
            "user": str(user),
            "tokens_revoked": await _revoke_tokens(unit, user),
            "passkeys_removed": passkeys.rowcount,
        },
        personal={"username": Personal(account.username, f"user:{user}")},
    )
    if logins is not None:
        logins.changed(unit, user)
    return password


async def _revoke_tokens(unit: Unit, user: UUID) -> int:
    revoked = await unit.execute(
        text("update access.token set revoked = :now where account = :id and revoked is null"),
        {"now": clock.now(), "id": user},
    )
    return revoked.rowcount


async def give(unit: Unit, user: UUID, grants: Iterable[Grant]) -> None:
    """Add grants to an account, whoever may."""
    rows = [
        {"account": user, "role": g.role, "municipality": g.municipality, "trade": g.trade}
        for g in dict.fromkeys(grants)
    ]
    if rows:
        await unit.execute(
            text("insert into access.granted values (:account, :role, :municipality, :trade)"), rows
        )


async def _demand_an_administrator(unit: Unit) -> None:
    await unit.execute(text("select pg_advisory_xact_lock(7710422)"))
    left = await unit.execute(
        text(
            "select count(*) from access.account a join access.granted g on g.account = a.id"
            " where a.active and g.role = 'administrator' and g.municipality = '*'"
            " and g.trade = '*'"
        )
    )
    if left.scalar_one() == 0:
        raise Conflict(
            "last_administrator",
            "Nobody would be left to administer everything: name another administrator first.",
        )


def _demand_covered(unit: Unit, grants: Sequence[Grant], had: Sequence[Grant] = ()) -> None:
    """Raises unless who gives these grants holds them; what the account had before it may keep."""
    catalogue = unit.house.catalogue
    for index, grant in enumerate(grants):
        if not covers(unit.scope, grant):
            raise _beyond(grant)
        if grant in had:
            continue
        if grant.role not in catalogue.roles:
            raise Invalid(
                "role_unknown",
                f"There is no role {grant.role!r}: see GET /api/v1/roles.",
                {"role": grant.role},
                errors=[
                    {"field": f"grants[{index}].role", "code": "unknown", "message": "no such role"}
                ],
            )
        if not grantable(catalogue, unit.principal, grant):
            raise _beyond(grant)


def demand_reach(unit: Unit, account: User) -> None:
    """Raises unless the caller could give all that an account holds: who opens a way into it could
    use it."""
    catalogue = unit.house.catalogue
    for grant in account.grants:
        if grant.role in catalogue.roles and not grantable(catalogue, unit.principal, grant):
            raise _beyond(grant)


def _beyond(grant: Grant | None = None) -> Forbidden:
    return Forbidden(
        "grant_beyond_own",
        "You can grant only what you administer yourself.",
        msgspec.structs.asdict(grant) if grant else {},
    )


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "everything": scope.everything,
        "pairs": sorted(scope.pairs),
        "municipalities": sorted(scope.municipalities),
        "trades": sorted(scope.trades),
    }


def _told(user: User) -> dict[str, Any]:
    """What the journal keeps for ever: no name."""
    return {"language": user.language, "active": user.active, "grants": user.grants}


def _user(row: Mapping[Any, Any]) -> User:
    return msgspec.convert(dict(row), User)
