"""Logging in and out."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access import attempts, devices, passwords
from vigie.core.access.logins import Logins, digest
from vigie.core.access.model import Login
from vigie.core.access.rules import canonical, password_fault
from vigie.core.database import Unit
from vigie.core.errors import Invalid, NotFound, Unauthenticated
from vigie.core.ids import secret
from vigie.core.journal import Personal
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM, Principal


class Visitor(msgspec.Struct, frozen=True):
    """Where a login comes from."""

    address: str
    agent: str
    request_id: str
    old_secret: str = ""
    device: str = ""


async def log_in(runtime: Runtime, username: str, password: str, visitor: Visitor) -> str:
    """Open a session; its secret, for the cookie.

    Raises Unauthenticated, never telling an unknown user from a wrong password, TooMany after too
    many failures, Unavailable when too many log in at once."""
    username = username.strip().lower()
    folder = runtime.settings.root / "secrets"
    device = devices.recognise(folder, visitor.device, username, clock.now())
    attempt = attempts.Attempt(username, visitor.address, device)
    attempts.check_memory(runtime.database, attempt)
    async with passwords.TURNS.turn(attempt.source, recognised=device is not None):
        return await _log_in(runtime, username, password, visitor, attempt)


async def _log_in(
    runtime: Runtime, username: str, password: str, visitor: Visitor, attempt: attempts.Attempt
) -> str:
    database = runtime.database
    await attempts.begin(database, attempt)
    async with database.unit(request_id=visitor.request_id) as unit:
        found = await unit.execute(
            text("select id, password, active from access.account where username = :username"),
            {"username": username},
        )
        row = found.mappings().one_or_none()
    right = await passwords.verify(row["password"] if row else None, password)
    if row is None or not right or not row["active"]:
        async with database.unit(SYSTEM, request_id=visitor.request_id) as unit:
            subject = f"user:{row['id']}" if row else ""
            await journal.record(
                unit,
                "access.login_failed",
                params={"known": row is not None},
                personal={
                    "username": Personal(username[:200].replace("\0", ""), subject),
                    "address": Personal(visitor.address, subject),
                },
            )
        raise Unauthenticated("wrong_login", "The user name or the password is wrong.")
    await attempts.succeeded(database, attempt)
    stored = row["password"]
    if await passwords.outdated(stored, password):
        stored = await passwords.derive(password)
    return await open_session(runtime, row["id"], username, stored, visitor)


async def open_session(
    runtime: Runtime,
    account: UUID,
    username: str,
    stored: str | None,
    visitor: Visitor,
    means: str = "password",
    fresh: datetime | None = None,
) -> str:
    """A session of someone who proved who they are, by whatever means; its secret.

    `stored` is the password's hash where it was just renewed. `fresh` is when they proved it: now,
    unless a provider says that it only remembered them (then None, with its name as `means`)."""
    token, now = secret(), clock.now()
    if means in ("password", "passkey"):
        fresh = now
    principal = Principal(account, username, "user")
    async with runtime.database.unit(principal, request_id=visitor.request_id) as unit:
        await unit.execute(
            text("delete from access.session where key = :old or expires < :now"),
            {"old": digest(visitor.old_secret), "now": now},
        )
        await unit.execute(
            text(
                "insert into access.session (key, account, created, expires, used, address, agent,"
                " means, fresh) values (:key, :account, :now, :expires, :now, :address, :agent,"
                " :means, :fresh)"
            ),
            {
                "key": digest(token),
                "account": account,
                "now": now,
                "expires": now + timedelta(hours=runtime.settings.session_hours),
                "address": visitor.address,
                "agent": visitor.agent[:300],
                "means": means,
                "fresh": fresh,
            },
        )
        await unit.execute(
            text(
                "update access.account set last_login = :now,"
                " password = coalesce(:stored, password) where id = :id"
            ),
            {"now": now, "stored": stored, "id": account},
        )
        await journal.record(
            unit,
            "access.logged_in",
            params={"means": means},
            personal={"address": Personal(visitor.address, f"user:{account}")},
        )
        # A session that the same browser held before must be gone everywhere.
        Logins.of(runtime).changed(unit, account)
    return token


class OwnSession(msgspec.Struct, frozen=True):
    """One of a person's live sessions; `current` is the one that asks."""

    id: UUID
    current: bool
    means: str
    address: str
    agent: str
    since: datetime
    last_used: datetime
    expires: datetime


async def listed(unit: Unit, login: Login, idle: timedelta) -> list[OwnSession]:
    """One's own live sessions, the newest use first."""
    now = clock.now()
    found = await unit.execute(
        text(
            "select id, key = :key as current, means, address, agent, created as since,"
            " used as last_used, expires from access.session"
            " where account = :me and expires > :now and used > :idle"
            " order by used desc, id limit 500"
        ),
        {"me": login.user, "key": login.key, "now": now, "idle": now - idle},
    )
    return [msgspec.convert(dict(row), OwnSession) for row in found.mappings()]


async def end(unit: Unit, logins: Logins, login: Login, session: UUID) -> None:
    """End one of one's own sessions. Raises NotFound for any other."""
    ended = await unit.execute(
        text("delete from access.session where id = :id and account = :me"),
        {"id": session, "me": login.user},
    )
    if ended.rowcount == 0:
        raise NotFound("session_not_found", "You have no such session.", {"id": str(session)})
    await journal.record(unit, "access.sessions_ended", params={"count": 1})
    logins.changed(unit, login.user)


async def end_others(unit: Unit, logins: Logins, login: Login) -> int:
    """End all of one's own sessions but this one; how many there were."""
    ended = await unit.execute(
        text("delete from access.session where account = :me and key <> :key"),
        {"me": login.user, "key": login.key},
    )
    if ended.rowcount:
        await journal.record(unit, "access.sessions_ended", params={"count": ended.rowcount})
    logins.changed(unit, login.user)
    return ended.rowcount


async def confirm(runtime: Runtime, login: Login, password: str, visitor: Visitor) -> datetime:
    """Show again, within a session, who one is; since when it is fresh.

    Raises Invalid for a wrong password, TooMany and Unavailable as a login."""
    attempt = attempts.Attempt(login.username, visitor.address, f"session {login.key.hex()}")
    async with passwords.TURNS.turn(attempt.source, recognised=True):
        await _demand_password(runtime, login, password, attempt)
    return await mark_fresh(runtime, login, "password", login.username, visitor)


async def mark_fresh(
    runtime: Runtime, login: Login, means: str, username: str, visitor: Visitor
) -> datetime:
    """The person of a session proved just now who they are."""
    now = clock.now()
    principal = Principal(login.user, username, "user")
    async with runtime.database.unit(principal, request_id=visitor.request_id) as unit:
        await unit.execute(
            text("update access.session set fresh = :now where key = :key"),
            {"now": now, "key": login.key},
        )
        await journal.record(unit, "access.confirmed", params={"means": means})
        Logins.of(runtime).changed(unit, login.user)
    return now


async def log_out(unit: Unit, logins: Logins, login: Login) -> None:
    """End this session."""
    await unit.execute(text("delete from access.session where key = :key"), {"key": login.key})
    await journal.record(unit, "access.logged_out")
    logins.changed(unit, login.user)


async def change_password(
    runtime: Runtime, login: Login, current: str, new: str, visitor: Visitor
) -> None:
    """Choose a new password; every other session of this person ends.

    Raises Invalid for a weak one or a wrong current one, TooMany for guesses, Unavailable when too
    many log in at once."""
    fault = password_fault(new, login.username)
    if fault is None and canonical(new) == canonical(current):
        fault = "password_unchanged"
    if fault is not None:
        raise refused(fault, "new")
    # Whoever is in is counted by the session: guesses at the login form do not bar the way.
    attempt = attempts.Attempt(login.username, visitor.address, f"session {login.key.hex()}")
    async with passwords.TURNS.turn(attempt.source, recognised=True):
        hashed = await _exchange(runtime, login, current, new, attempt)
    principal = Principal(login.user, login.username, "user")
    async with runtime.database.unit(principal, request_id=visitor.request_id) as unit:
        await set_password(unit, login.user, hashed, must_change=False, keep=login.key)
        await journal.record(unit, "access.password_changed")
        Logins.of(runtime).changed(unit, login.user)


async def _exchange(
    runtime: Runtime, login: Login, current: str, new: str, attempt: attempts.Attempt
) -> str:
    """The hash of the new password, when the current one is right."""
    await _demand_password(runtime, login, current, attempt)
    return await passwords.derive(new)


async def _demand_password(
    runtime: Runtime, login: Login, current: str, attempt: attempts.Attempt
) -> None:
    await attempts.begin(runtime.database, attempt)
    async with runtime.database.unit() as unit:
        found = await unit.execute(
            text("select password from access.account where id = :id"), {"id": login.user}
        )
        stored: str = found.scalar_one()
    if not await passwords.verify(stored, current):
        raise refused("wrong_password", "current")
    await attempts.succeeded(runtime.database, attempt)


async def set_password(
    unit: Unit, account: UUID, hashed: str, *, must_change: bool, keep: bytes = b""
) -> None:
    """Store a password, and end the account's sessions but the one kept."""
    await unit.execute(
        text(
            "update access.account set password = :hashed, password_changed = :now,"
            " must_change_password = :must_change, version = version + 1 where id = :id"
        ),
        {"hashed": hashed, "now": clock.now(), "must_change": must_change, "id": account},
    )
    await unit.execute(
        text("delete from access.session where account = :id and key <> :keep"),
        {"id": account, "keep": keep},
    )


_SAYS = {
    "password_too_short": "use at least 12 characters",
    "password_too_long": "use at most 256 characters",
    "password_holds_username": "it must not contain the user name",
    "password_too_simple": "use at least 5 different characters",
    "password_unchanged": "it is the same as before",
    "wrong_password": "this is not the current password",
}


def refused(fault: str, field: str) -> Invalid:
    """A password that may not be, or is not the one."""
    return Invalid(
        fault,
        f"The {field} password is refused: {_SAYS[fault]}.",
        errors=[{"field": field, "code": fault, "message": _SAYS[fault]}],
    )
