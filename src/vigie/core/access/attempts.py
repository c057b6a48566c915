"""Failed logins are counted by user, by address, and by both: in the database, since several
processes answer. An attempt counts before its password is looked at, so a burst gains nothing."""

import hashlib
import ipaddress
from datetime import timedelta

from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Database
from vigie.core.errors import TooMany

WINDOW_S = 300.0
# From one address, at one user: a person who mistypes. The other two stop a machine; it cannot
# lock people out of where they work: an address with a session of theirs is spared the last.
LIMITS = {"pair": 10, "address": 30, "user": 50}

_COUNT = text(
    "insert into access.attempt as a (key, since, failures) values (:key, :now, 1)"
    " on conflict (key) do update set"
    " since = case when a.since < :old then excluded.since else a.since end,"
    " failures = case when a.since < :old then 1 else a.failures + 1 end"
    " returning since, failures"
)
# Skips what another login holds: two that waited for each other would both fail.
_SWEEP = text(
    "delete from access.attempt where key in (select key from access.attempt"
    " where since < :old limit 100 for update skip locked)"
)
_AT_HOME = text(
    "select exists (select from access.session s join access.account a on a.id = s.account"
    " where a.username = :username and s.address = :address and s.expires > :now)"
)


async def begin(database: Database, username: str, address: str) -> None:
    """Count an attempt. Raises TooMany, with the time to wait, when there were too many."""
    now = clock.now()
    old = now - timedelta(seconds=WINDOW_S)
    async with database.unit() as unit:
        await unit.execute(_SWEEP, {"old": old})
        for kind, key in _keys(username, address):
            parameters = {"key": key, "now": now, "old": old}
            row = (await unit.execute(_COUNT, parameters)).one()
            if row.failures > LIMITS[kind]:
                who = {"username": username, "address": address, "now": now}
                if kind == "user" and (await unit.execute(_AT_HOME, who)).scalar_one():
                    continue
                wait = max(1.0, WINDOW_S - (now - row.since).total_seconds())
                raise TooMany(
                    "too_many_logins",
                    f"Too many failed logins: try again in {round(wait)} seconds.",
                    {"seconds": round(wait)},
                    retry_after_s=wait,
                )


async def succeeded(database: Database, username: str, address: str) -> None:
    """Forget the failures of a user who is in; the address only loses this attempt."""
    keys = dict(_keys(username, address))
    async with database.unit() as unit:
        await unit.execute(
            text("delete from access.attempt where key = any(:keys)"),
            {"keys": [keys["pair"], keys["user"]]},
        )
        await unit.execute(
            text("update access.attempt set failures = failures - 1 where key = :key"),
            {"key": keys["address"]},
        )


def network(address: str) -> str:
    """What counts as one address: an IPv6 customer holds a /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
    return address


def _keys(username: str, address: str) -> list[tuple[str, str]]:
    """In one order everywhere, or two logins could wait for each other; hashed, since people type
    passwords into the name field."""
    where = network(address)
    parts = {"address": where, "pair": f"{username}\n{where}", "user": username}
    return [
        (kind, f"{kind}:{hashlib.sha256(value.encode()).hexdigest()}")
        for kind, value in sorted(parts.items())
    ]
