"""The way into a new installation: the first administrator's password, until it is changed.

It is shown once, and kept in `var/secrets/first-login` for a start that was interrupted before it
was shown. The file goes when the password is changed, reset, or the account is closed.
"""

import asyncio
import contextlib
from pathlib import Path

import msgspec

from vigie.commands.engines import Session
from vigie.core.access import admin
from vigie.core.database import Database
from vigie.core.engines.secrets import read, write
from vigie.core.errors import SetupError, VigieError
from vigie.core.runtime import database_url

FILE = "first-login"
_LOOK_EVERY_S = 20.0


async def way_in(session: Session) -> str:
    """What to print about the first login; "" once somebody has come in.

    Creates the first administrator of a new installation."""
    file = path(session.settings.root)
    database = _database(session)
    try:
        login = await admin.create_first_administrator(
            database, lambda made: write(file, msgspec.json.encode(made))
        )
        if login:
            return (
                f"  First login:  {login.username}\n"
                f"  Password:     {login.password}\n"
                f"  You will be asked to change it; until then it is kept in {file}.\n"
            )
        kept = _kept(file)
        if kept and await admin.awaits_first_login(database, kept.username, kept.password):
            return (
                f"  Nobody has logged in as {kept.username} yet: the first password is in {file}.\n"
            )
        file.unlink(missing_ok=True)
        if await admin.awaits_first_login(database, admin.FIRST):
            return (
                f"  {admin.FIRST} has not chosen a password yet. If the first one is lost, "
                f"`vigie user reset-password {admin.FIRST}` gives another.\n"
            )
        return ""
    finally:
        await database.close()


async def forget_when_used(session: Session, every_s: float = _LOOK_EVERY_S) -> None:
    """Remove the kept password once its account has another; returns when none is kept."""
    file = path(session.settings.root)
    while kept := _kept(file):
        with contextlib.suppress(VigieError):  # The database may be away: look again later.
            database = _database(session)
            try:
                if not await admin.awaits_first_login(database, kept.username):
                    break
            finally:
                await database.close()
        await asyncio.sleep(every_s)
    file.unlink(missing_ok=True)


def forget(root: Path, username: str) -> None:
    """Remove the kept password of an account that was given another."""
    file = path(root)
    kept = _kept(file)
    if kept and kept.username == username.strip().lower():
        file.unlink(missing_ok=True)


def path(root: Path) -> Path:
    """Where the first password is kept."""
    return root / "secrets" / FILE


def _kept(file: Path) -> admin.FirstLogin | None:
    try:
        return msgspec.json.decode(read(file), type=admin.FirstLogin)
    except (OSError, SetupError, msgspec.MsgspecError):
        return None


def _database(session: Session) -> Database:
    return Database(database_url(session.settings), pool=1, application="vigie-command")
