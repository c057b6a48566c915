"""Who acts, and what of the city they may see: the two facts every unit of work starts from."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

PrincipalKind = Literal["user", "token", "rule", "system"]


class Scope(msgspec.Struct, frozen=True):
    """The part of the city a principal may touch with one permission.

    `pairs` holds "21231/lighting"; `municipalities` those granted for every trade; `trades` those
    granted everywhere. Row level security reads it (see `apply` in core.database): nothing granted
    is nothing seen.

    `compartments` are what is opened beside: a row in a compartment is seen only by who is in its
    place *and* opens it there. "police" is opened everywhere, "police@21231/*" in one municipality,
    "police@*/video" in one trade, "police@21231/video" in both; "*" is the platform's own.
    """

    everything: bool = False
    pairs: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    trades: frozenset[str] = frozenset()
    compartments: frozenset[str] = frozenset()

    def allows(self, municipality: str, trade: str) -> bool:
        """True when an object of that municipality (INSEE code, "" for none) is inside."""
        return (
            self.everything
            or f"{municipality}/{trade}" in self.pairs
            or municipality in self.municipalities
            or trade in self.trades
        )

    def holds(self, key: str) -> bool:
        """The same of a scope key (see `scope_key`): its place is inside, its compartments open."""
        place, _, closed = key.partition("#")
        municipality, _, trade = place.partition("/")
        return self.allows(municipality, trade) and all(
            self.opens(name, municipality, trade) for name in closed.split("+")
        )

    def opens(self, compartment: str, municipality: str, trade: str) -> bool:
        """True when a compartment ("" for none) is open at that place."""
        if not compartment:
            return True
        at = f"{compartment}@"
        return not self.compartments.isdisjoint(
            (
                "*",
                compartment,
                f"{at}{municipality}/*",
                f"{at}*/{trade}",
                f"{at}{municipality}/{trade}",
            )
        )

    def sees(self, municipality: str, trade: str, compartment: str = "") -> bool:
        """True when a row of that place and compartment is seen: the same as `scope_policy`."""
        return self.allows(municipality, trade) and self.opens(compartment, municipality, trade)


def scope_key(municipality: str, trade: str, *compartments: str) -> str:
    """A place and its compartments in one word, as the journal keeps it: "21231/lighting",
    "21231/video#police"; "21231/video#crisis+police" is seen by who opens both."""
    closed = sorted({name for name in compartments if name})
    return f"{municipality}/{trade}" + (f"#{'+'.join(closed)}" if closed else "")


NOTHING = Scope()
# Every place; what is in a compartment stays closed.
EVERYTHING = Scope(everything=True)
# What the platform itself sees: every place and every compartment.
PLATFORM = Scope(everything=True, compartments=frozenset({"*"}))


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


def scope_of(
    grants: Iterable[Grant], compartments: Mapping[str, Collection[str]] | None = None
) -> Scope:
    """The union of what grants open, whatever their role.

    `compartments` says what each role opens, there where it is granted and nowhere else.
    """
    everything = False
    pairs: set[str] = set()
    municipalities: set[str] = set()
    trades: set[str] = set()
    opened: set[str] = set()
    for grant in grants:
        whole = grant.municipality == "*" and grant.trade == "*"
        if whole:
            everything = True
        elif grant.trade == "*":
            municipalities.add(grant.municipality)
        elif grant.municipality == "*":
            trades.add(grant.trade)
        else:
            pairs.add(f"{grant.municipality}/{grant.trade}")
        place = "" if whole else f"@{grant.municipality}/{grant.trade}"
        opened |= {f"{name}{place}" for name in (compartments or {}).get(grant.role, ())}
    if everything:
        return Scope(everything=True, compartments=frozenset(opened))
    return Scope(
        False,
        frozenset(pairs),
        frozenset(municipalities),
        frozenset(trades),
        frozenset(opened),
    )


class Principal(msgspec.Struct, frozen=True):
    """Who acts: a person, a token, a rule or the platform itself.

    `only` narrows a token to some permissions; None is all that the roles of `grants` give.
    `owner` is the person whose token it is; `fresh` when a person last showed who they are, with
    their password or a passkey (see core.access.demands).
    """

    id: UUID | None
    name: str
    kind: PrincipalKind
    grants: tuple[Grant, ...] = ()
    only: frozenset[str] | None = None
    owner: UUID | None = None
    fresh: datetime | None = None

    @property
    def person(self) -> UUID | None:
        """The account behind it: a token acts for its owner."""
        return self.owner or self.id


ANONYMOUS = Principal(None, "anonymous", "user")
SYSTEM = Principal(None, "vigie", "system", (Grant("administrator"),))
