"""From the secret in a request to who makes it: one query, remembered for a few seconds.

What changes a login (logout, password, roles, revocation) says so on `access.changed`, and every
process forgets; were that message lost, the change holds at most `REMEMBERED_S` later.
"""

import hashlib
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from nats.aio.msg import Msg
from sqlalchemy import text

from vigie.core import clock
from vigie.core.access.model import Caller, Login
from vigie.core.access.rules import narrow
from vigie.core.database import Unit
from vigie.core.runtime import Runtime
from vigie.core.scope import Grant, Principal

SUBJECT = "access.changed"
REMEMBERED_S = 5.0
TOUCH_S = 60.0
_MOST = 20_000

# ruff: noqa: S608 (statements are put together from the constants of this file)
_GRANTS = (
    "(select coalesce(jsonb_agg(jsonb_build_array(g.role, g.municipality, g.trade)"
    " order by g.role, g.municipality, g.trade), '[]')"
    " from access.granted g where g.account = a.id) as grants"
)
_SESSION = text(
    "select a.id, a.username, a.display_name, a.language, s.id as session, s.means, s.fresh,"
    # Who came by a passkey or a provider has no first password in hand.
    " a.must_change_password and s.means = 'password' as must_change_password,"
    f" s.expires, s.used, {_GRANTS}"
    " from access.session s join access.account a on a.id = s.account"
    " where s.key = :key and a.active and s.expires > :now and s.used > :idle"
)
_TOKEN = text(
    "select t.id as token, a.id, a.username, t.name, t.permissions, t.grants as narrowed,"
    f" t.expires, t.used, {_GRANTS}"
    " from access.token t join access.account a on a.id = t.account"
    " where t.key = :key and a.active and t.revoked is null"
    " and (t.expires is null or t.expires > :now)"
)


class Logins:
    """The logins that a process met lately."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._remembered: OrderedDict[bytes, tuple[float, UUID, Caller]] = OrderedDict()
        self._listening = False

    @classmethod
    def of(cls, runtime: Runtime) -> "Logins":
        """The logins of this process."""
        if runtime not in _logins:
            _logins[runtime] = cls(runtime)
        return _logins[runtime]

    async def listen(self) -> None:
        """Forget when any process says that an account changed."""
        if self._listening:
            return
        self._listening = True

        async def hear(message: Msg) -> None:
            self.forget(UUID(bytes=message.data))

        await self._runtime.bus.subscribe(SUBJECT, hear)

    def forget(self, account: UUID) -> None:
        """Look this account up anew."""
        stale = [key for key, (_, owner, _c) in self._remembered.items() if owner == account]
        for key in stale:
            del self._remembered[key]

    def changed(self, unit: Unit, account: UUID) -> None:
        """Once this unit is committed, every process forgets the account."""

        async def tell() -> None:
            self.forget(account)
            await self._runtime.bus.publish(SUBJECT, account.bytes)

        unit.after_commit(tell)

    async def by_session(self, secret: str) -> Caller | None:
        """The person behind a session's cookie; None when there is no such live session."""
        key = digest(secret)
        remembered = self._recall(key)
        if remembered is not None:
            return remembered
        now = clock.now()
        idle = now - timedelta(minutes=self._runtime.settings.session_idle_minutes)
        async with self._runtime.database.unit() as unit:
            found = await unit.execute(_SESSION, {"key": key, "now": now, "idle": idle})
            row = found.mappings().one_or_none()
            if row is None:
                return None
            await _touch(unit, "session", key, row["used"], now)
        login = Login(
            key=key,
            user=row["id"],
            username=row["username"],
            display_name=row["display_name"],
            language=row["language"],
            must_change_password=row["must_change_password"],
            csrf=csrf_of(secret),
            expires=row["expires"],
            session=row["session"],
            means=row["means"],
            fresh=row["fresh"],
        )
        principal = Principal(
            row["id"], row["username"], "user", _grants(row["grants"]), fresh=row["fresh"]
        )
        return self._remember(key, row["id"], Caller(principal, login))

    async def by_token(self, secret: str) -> Caller | None:
        """The principal behind an API token: its owner's grants, narrowed by the token's own."""
        key = digest(secret)
        remembered = self._recall(key)
        if remembered is not None:
            return remembered
        now = clock.now()
        async with self._runtime.database.unit() as unit:
            found = await unit.execute(_TOKEN, {"key": key, "now": now})
            row = found.mappings().one_or_none()
            if row is None:
                return None
            await _touch(unit, "token", key, row["used"], now)
        grants = _grants(row["grants"])
        if row["narrowed"] is not None:
            grants = narrow(grants, msgspec.convert(row["narrowed"], tuple[Grant, ...]))
        principal = Principal(
            row["token"],
            f"{row['username']}/{row['name']}",
            "token",
            grants,
            frozenset(row["permissions"]),
            owner=row["id"],
        )
        return self._remember(key, row["id"], Caller(principal))

    def _recall(self, key: bytes) -> Caller | None:
        found = self._remembered.get(key)
        if found is None or time.monotonic() - found[0] > REMEMBERED_S:
            return None
        caller = found[2]
        if caller.login is not None and caller.login.expires <= clock.now():
            return None
        return caller

    def _remember(self, key: bytes, account: UUID, caller: Caller) -> Caller:
        self._remembered[key] = (time.monotonic(), account, caller)
        self._remembered.move_to_end(key)
        while len(self._remembered) > _MOST:
            self._remembered.popitem(last=False)
        return caller


_logins: "WeakKeyDictionary[Runtime, Logins]" = WeakKeyDictionary()


def digest(secret: str) -> bytes:
    """What is stored of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_of(secret: str) -> str:
    """The CSRF token of a session: known to who holds the cookie's answer, not stored."""
    return urlsafe_b64encode(hashlib.sha256(b"csrf:" + secret.encode()).digest()).decode()[:43]


async def _touch(unit: Unit, table: str, key: bytes, used: datetime | None, now: datetime) -> None:
    if used is None or (now - used).total_seconds() > TOUCH_S:
        await unit.execute(
            text(f"update access.{table} set used = :now where key = :key"),
            {"key": key, "now": now},
        )


def _grants(rows: list[Any]) -> tuple[Grant, ...]:
    return tuple(Grant(*row) for row in rows)
