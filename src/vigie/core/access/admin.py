"""What an administrator does from the shell: plain functions for the command line."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core.access import passwords, users
from vigie.core.access.model import GrantInput, NewUser, User, UserPatch
from vigie.core.database import Database, Unit
from vigie.core.errors import Invalid, NotFound

FIRST = "admin"


class FirstLogin(msgspec.Struct, frozen=True):
    """Shown once: a name and a password to be changed at the first login."""

    username: str
    password: str


async def create_first_administrator(
    database: Database, keep: Callable[[FirstLogin], None] = lambda _login: None
) -> FirstLogin | None:
    """The first account of a new installation; None when there is one already.

    `keep` is called before the account exists for good, and so never too late: whoever is killed
    in between finds the password again."""
    async with database.unit() as unit:
        await unit.execute(text("select pg_advisory_xact_lock(7710421)"))
        if (await unit.execute(text("select exists (select from access.account)"))).scalar_one():
            return None
        made = await users.create_user(
            unit,
            NewUser(
                username=FIRST,
                display_name="Administrator",
                grants=[GrantInput("administrator")],
            ),
        )
        login = FirstLogin(made.username, made.password)
        keep(login)
        return login


async def awaits_first_login(
    database: Database, username: str, password: str | None = None
) -> bool:
    """True while this account still has a password to be changed; this one, when it is given."""
    async with database.unit() as unit:
        found = await unit.execute(
            text(
                """
                select password
                  from access.account
                 where username = :username
                   and active
                   and must_change_password
                """
            ),
            {"username": username},
        )
        stored: str | None = found.scalar_one_or_none()
    if stored is None:
        return False
    return password is None or await passwords.verify(stored, password)


async def add_user(
    database: Database,
    username: str,
    display_name: str = "",
    grants: Sequence[str] = (),
    language: str = "fr",
) -> FirstLogin:
    """Create an account; each grant is `role`, `role@municipality` or `role@municipality/trade`.

    Raises Invalid or Conflict with what to do."""
    try:
        new = msgspec.convert(
            {
                "username": username.strip().lower(),
                "display_name": display_name or username,
                "language": language,
                "grants": [_parse_grant(grant) for grant in grants],
            },
            NewUser,
        )
    except msgspec.ValidationError as error:
        raise Invalid("invalid_input", f"The account cannot be created: {error}.") from error
    async with database.unit() as unit:
        made = await users.create_user(unit, new)
        return FirstLogin(made.username, made.password)


async def reset_password(database: Database, username: str) -> FirstLogin:
    """A new first password; every session and API token of the account ends."""
    async with database.unit() as unit:
        user = await _find(unit, username)
        return FirstLogin(user.username, await users.reset_password(unit, None, user.id))


async def set_active(database: Database, username: str, active: bool) -> User:
    """Open or close an account; closing ends its sessions and tokens."""
    async with database.unit() as unit:
        user = await _find(unit, username)
        return await users.update_user(unit, None, user.id, UserPatch(active=active))


async def list_users(database: Database) -> list[User]:
    """Every account, by user name."""
    everyone: list[User] = []
    cursor: str | None = None
    async with database.unit() as unit:
        while True:
            page = await users.list_users(unit, cursor, 1000)
            everyone += page.items
            cursor = page.next
            if cursor is None:
                return everyone


async def _find(unit: Unit, username: str) -> User:
    found = await unit.execute(
        text("select id from access.account where username = :username"),
        {"username": username.strip().lower()},
    )
    user: UUID | None = found.scalar_one_or_none()
    if user is None:
        raise NotFound("user_not_found", f"There is no account {username}: see `vigie user list`.")
    return await users.read_user(unit, user)


def _parse_grant(grant: str) -> dict[str, str]:
    role, _, place = grant.partition("@")
    municipality, _, trade = place.partition("/")
    return {"role": role, "municipality": municipality or "*", "trade": trade or "*"}
