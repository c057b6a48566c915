"""Who acts, and what of the city they may see: the two facts every unit of work starts from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

import msgspec

PrincipalKind = Literal["user", "token", "rule", "system"]


class Scope(msgspec.Struct, frozen=True):
    """The part of the city a principal may touch with one permission.

    `pairs` holds "21231/lighting"; `municipalities` those granted for every trade; `trades` those
    granted everywhere. Row level security reads it (see `apply` in core.database): nothing granted
    is nothing seen.
    """

    everything: bool = False
    pairs: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    trades: frozenset[str] = frozenset()

    def allows(self, municipality: str, trade: str) -> bool:
        """True when an object of that municipality (INSEE code, "" for none) is inside."""
        return (
            self.everything
            or f"{municipality}/{trade}" in self.pairs
            or municipality in self.municipalities
            or trade in self.trades
        )

    def holds(self, key: str) -> bool:
        """The same of a scope key: "21231/lighting"."""
        municipality, _, trade = key.partition("/")
        return self.allows(municipality, trade)


NOTHING = Scope()
EVERYTHING = Scope(everything=True)


def counted(parts: Mapping[str, Mapping[str, int]], scope: Scope) -> Counter[str]:
    """The sum of what was counted by scope key, as far as it is inside a scope."""
    total: Counter[str] = Counter()
    for key, counts in parts.items():
        if scope.holds(key):
            total.update(counts)
    return total


class Grant(msgspec.Struct, frozen=True):
    """A role over a municipality and a trade; "*" is all of them."""

    role: str
    municipality: str = "*"
    trade: str = "*"


def scope_of(grants: Iterable[Grant]) -> Scope:
    """The union of what grants open, whatever their role."""
    pairs: set[str] = set()
    municipalities: set[str] = set()
    trades: set[str] = set()
    for grant in grants:
        if grant.municipality == "*" and grant.trade == "*":
            return EVERYTHING
        if grant.trade == "*":
            municipalities.add(grant.municipality)
        elif grant.municipality == "*":
            trades.add(grant.trade)
        else:
            pairs.add(f"{grant.municipality}/{grant.trade}")
    return Scope(False, frozenset(pairs), frozenset(municipalities), frozenset(trades))


class Principal(msgspec.Struct, frozen=True):
    """Who acts: a person, a token, a rule or the platform itself.

    `only` narrows a token to some permissions; None is all that the roles of `grants` give.
    `owner` is the person whose token it is.
    """

    id: UUID | None
    name: str
    kind: PrincipalKind
    grants: tuple[Grant, ...] = ()
    only: frozenset[str] | None = None
    owner: UUID | None = None


ANONYMOUS = Principal(None, "anonymous", "user")
SYSTEM = Principal(None, "vigie", "system", (Grant("administrator"),))
