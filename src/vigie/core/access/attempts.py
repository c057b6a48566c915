"""Failed logins are counted by user, by address, and by both: in the database, since several
processes answer. An attempt counts before its password is looked at, so a burst gains nothing.

Whoever guesses locks nobody out of where they work: a browser in which the user logged in before
(`devices`) is counted apart, and an address where the user has a live session is spared the limits
that other people use up.
"""

import hashlib
import ipaddress
import time
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Database, Unit
from vigie.core.errors import TooMany

WINDOW_S = 300.0
# From one address, at one user: a person who mistypes; from one browser, the same. The other two
# stop a machine.
LIMITS = {"pair": 10, "device": 10, "address": 30, "user": 50}
# User names that one administrator was refused: more would list who works elsewhere.
MOST_NAMES = 10
_SPARED_AT_HOME = ("address", "user")
# How long a refusal of an address is answered from memory before the database is asked again.
_REMEMBERED_S = 5.0
_MOST_REMEMBERED = 10_000

_COUNT = text(
    """
    insert into access.attempt as a (key, since, failures)
    values (:key, :now, 1)
    on conflict (key) do update set
      since = case when a.since < :old then excluded.since else a.since end,
      failures = case when a.since < :old then 1 else a.failures + 1 end
    returning since, failures
    """
)
# Skips what another login holds: two that waited for each other would both fail.
_SWEEP = text(
    """
    delete from access.attempt
    where key in (
      select key from access.attempt where since < :old limit 100 for update skip locked
    )
    """
)
_LIVE_SESSIONS = text(
    """
    select distinct account.username, session.address
    from access.session session
    join access.account account on account.id = session.account
    where session.expires > :now
    """
)


class Attempt(msgspec.Struct, frozen=True):
    """A login that is tried: `device` is the mark of a browser where this user logged in before.

    Guesses at a password do not count against the same person's passkey, nor the other way."""

    username: str
    address: str
    device: str | None = None
    means: str = "password"

    @property
    def source(self) -> str:
        """What it waits in line as: a browser, or an address with all that is behind it."""
        return self.device or network(self.address)

    @property
    def _who(self) -> str:
        return self.username if self.means == "password" else f"{self.means}\n{self.username}"

    def counted_under(self) -> list[tuple[str, str]]:
        """What it is counted under, in one order everywhere, or two logins could wait for each
        other; hashed, since people type passwords into the name field."""
        if self.device:
            parts = {"device": f"{self._who}\n{self.device}"}
        else:
            where = network(self.address)
            parts = {"address": where}
            # Who comes without a name (an unknown passkey) is counted by where they come from.
            if self.username:
                parts |= {"pair": f"{self._who}\n{where}", "user": self._who}
        return [
            (kind, f"{kind}:{hashlib.sha256(value.encode()).hexdigest()}")
            for kind, value in sorted(parts.items())
        ]


class _Shut(msgspec.Struct, frozen=True):
    """An address that used up its attempts: until when (machine time), and who is spared."""

    ends: float
    look_again: float
    spared: frozenset[str]


_shut: "WeakKeyDictionary[Database, dict[str, _Shut]]" = WeakKeyDictionary()


def check_memory(database: Database, attempt: Attempt) -> None:
    """Refuse at once what was refused a moment ago, so that a flood from one address neither asks
    the database nor stands in line before its neighbours. Raises TooMany."""
    shut = _shut.get(database, {}).get(network(attempt.address))
    now = time.monotonic()
    if shut is None or attempt.device or attempt.username in shut.spared or now > shut.look_again:
        return
    raise _too_many(shut.ends - now)


async def begin(database: Database, attempt: Attempt) -> None:
    """Count an attempt. Raises TooMany, with the time to wait, when there were too many."""
    now = clock.now()
    old = now - timedelta(seconds=WINDOW_S)
    async with database.unit() as unit:
        await unit.execute(_SWEEP, {"old": old})
        for kind, key in attempt.counted_under():
            row = (await unit.execute(_COUNT, {"key": key, "now": now, "old": old})).one()
            if row.failures <= LIMITS[kind]:
                continue
            wait = WINDOW_S - (now - row.since).total_seconds()
            if kind in _SPARED_AT_HOME:
                at_home = await _users_at(unit, attempt.address, now)
                if kind == "address":
                    _remember(database, attempt.address, wait, at_home)
                if attempt.username in at_home:
                    continue
            raise _too_many(wait)


async def succeeded(database: Database, attempt: Attempt) -> None:
    """Forget the failures of a user who is in; the address only loses this attempt."""
    keys = dict(attempt.counted_under())
    async with database.unit() as unit:
        await unit.execute(
            text("delete from access.attempt where key = any(:keys)"),
            {"keys": [key for kind, key in keys.items() if kind != "address"]},
        )
        await unit.execute(
            text("update access.attempt set failures = failures - 1 where key = :key"),
            {"key": keys.get("address", "")},
        )


async def check_names(database: Database, person: UUID | None) -> None:
    """Raises TooMany when a person was refused many user names lately."""
    now = clock.now()
    async with database.unit() as unit:
        found = await unit.execute(
            text("select since from access.attempt where key = :key and failures >= :most"),
            {"key": f"name:{person}", "most": MOST_NAMES},
        )
        since = found.scalar_one_or_none()
    wait = WINDOW_S - (now - since).total_seconds() if since else 0.0
    if wait > 0:
        raise TooMany(
            "too_many_names",
            f"Too many user names were refused: try again in {round(wait)} seconds.",
            {"seconds": round(wait)},
            retry_after_s=wait,
        )


async def name_refused(database: Database, person: UUID | None) -> None:
    """Count a user name that a person was refused."""
    now = clock.now()
    old = now - timedelta(seconds=WINDOW_S)
    async with database.unit() as unit:
        await unit.execute(_COUNT, {"key": f"name:{person}", "now": now, "old": old})


def network(address: str) -> str:
    """What counts as one address: an IPv6 customer holds a /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
    return address


async def _users_at(unit: Unit, address: str, now: datetime) -> frozenset[str]:
    """Who has a live session at an address."""
    here = network(address)
    found = await unit.execute(_LIVE_SESSIONS, {"now": now})
    return frozenset(row.username for row in found if network(row.address) == here)


def _remember(database: Database, address: str, wait: float, spared: frozenset[str]) -> None:
    addresses = _shut.setdefault(database, {})
    if len(addresses) >= _MOST_REMEMBERED:
        addresses.clear()
    now = time.monotonic()
    until = now + min(wait, _REMEMBERED_S)
    addresses[network(address)] = _Shut(now + wait, until, spared)


def _too_many(wait: float) -> TooMany:
    seconds = max(1, round(wait))
    return TooMany(
        "too_many_logins",
        f"Too many failed logins: try again in {seconds} seconds.",
        {"seconds": seconds},
        retry_after_s=seconds,
    )
