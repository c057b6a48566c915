"""Decisions about grants and passwords: pure functions."""

import re
from collections.abc import Iterable

from vigie.core.scope import Grant, Scope

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}[a-z0-9]")


def covers(scope: Scope, grant: Grant) -> bool:
    """True when all that a grant opens lies inside a scope: nobody gives more than they hold."""
    if scope.everything:
        return True
    if grant.municipality == "*":
        return grant.trade != "*" and grant.trade in scope.trades
    if grant.municipality in scope.municipalities:
        return True
    return grant.trade != "*" and scope.allows(grant.municipality, grant.trade)


def narrow(held: Iterable[Grant], wanted: Iterable[Grant]) -> tuple[Grant, ...]:
    """What two lists of grants have in common, role by role."""
    wanted = tuple(wanted)
    common: dict[Grant, None] = {}
    for mine in held:
        for other in wanted:
            municipality = _meet(mine.municipality, other.municipality)
            trade = _meet(mine.trade, other.trade)
            if mine.role == other.role and municipality is not None and trade is not None:
                common[Grant(mine.role, municipality, trade)] = None
    return tuple(common)


def _meet(one: str, other: str) -> str | None:
    if one == "*":
        return other
    return one if other in ("*", one) else None


def password_fault(password: str, username: str) -> str | None:
    """Why a password may not be used, as a message key; None when it may."""
    if len(password) < SHORTEST_PASSWORD:
        return "password_too_short"
    if len(password) > LONGEST_PASSWORD:
        return "password_too_long"
    folded = password.casefold()
    if username and username.casefold() in folded:
        return "password_holds_username"
    if len(set(folded)) < 5:
        return "password_too_simple"
    return None
