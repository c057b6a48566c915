"""Decisions about grants and passwords: pure functions."""

import unicodedata
from collections.abc import Iterable

from vigie.core.permissions import ADMINISTRATOR, Catalogue
from vigie.core.scope import NOTHING, Grant, Principal, Scope

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
# Acts of no person carry the first two; the others look as if they did.
RESERVED_USERNAMES = frozenset({"vigie", "anonymous", "system", "root"})


def covers(scope: Scope, grant: Grant) -> bool:
    """True when all that a grant opens lies inside a scope: nobody gives more than they hold."""
    if scope.everything:
        return True
    if grant.municipality == "*":
        return grant.trade != "*" and grant.trade in scope.trades
    if grant.municipality in scope.municipalities:
        return True
    return grant.trade != "*" and scope.allows(grant.municipality, grant.trade)


def beyond(
    catalogue: Catalogue,
    principal: Principal,
    permissions: Iterable[str],
    compartments: Iterable[str],
) -> str | None:
    """The first permission or compartment that a principal does not hold everywhere."""
    if principal.kind == "system":
        return None
    for name in sorted(permissions):
        if not (catalogue.scope_for(principal, name) or NOTHING).everything:
            return name
    opened: set[str] = {
        compartment
        for grant in principal.grants
        if grant.municipality == "*" and grant.trade == "*" and grant.role in catalogue.roles
        for compartment in catalogue.roles[grant.role].compartments
    }
    return min(set(compartments) - opened, default=None)


def grantable(catalogue: Catalogue, principal: Principal, grant: Grant) -> bool:
    """True when a principal may give a role to somebody: all that it holds, they hold over the
    same place. Who administers everything may give any role, also those that open to others what
    administrators do not see: somebody must, and the journal says who did."""
    if principal.kind == "system" or Grant(ADMINISTRATOR) in principal.grants:
        return True
    role = catalogue.roles[grant.role]
    for name in catalogue.held_by_role(grant.role):
        scope = catalogue.scope_for(principal, name)
        if scope is None or not covers(scope, grant):
            return False
    for compartment in role.compartments:
        mine = [g for g in principal.grants if g.role in catalogue.roles
                and compartment in catalogue.roles[g.role].compartments]  # fmt: skip
        if not any(_within(held, grant) for held in mine):
            return False
    return True


def _within(held: Grant, grant: Grant) -> bool:
    return held.municipality in ("*", grant.municipality) and held.trade in ("*", grant.trade)


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


def canonical(password: str) -> str:
    """A password as it is hashed: composed (NFC), every kind of space the plain one.

    Keyboards differ in how they send "é", and some send a no-break space for a space: the same
    keys must open on every machine (as RFC 8265's OpaqueString)."""
    plain = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    return unicodedata.normalize("NFC", plain)


def spellings(password: str) -> list[str]:
    """What an older hash of the same password may have been made of; the canonical one first.

    Always one for ASCII; never more than four, since each costs as much as a login."""
    forms = (unicodedata.normalize(form, password) for form in ("NFC", "NFD"))
    return list(dict.fromkeys([canonical(password), *forms, password]))


def password_fault(password: str, username: str) -> str | None:
    """Why a password may not be used, as a message key; None when it may."""
    password = canonical(password)
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
