"""What the journal speaks of: acts, their changes, and what reacts to them."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from vigie.core.scope import EVERYTHING, Grant, Principal, Scope

if TYPE_CHECKING:
    from vigie.core.database import Unit


class Change(msgspec.Struct, frozen=True):
    """One object before and after an act; None where it did not exist.

    `scope` is its key (core.scope.scope_key: "21231/lighting", "21231/#police"): whoever is granted
    it sees the act in the list. What moved has two, separated by a space: whoever sees either place
    sees it move.
    """

    object_type: str
    object_id: str
    before: Any = None
    after: Any = None
    scope: str = ""


class Personal(msgspec.Struct, frozen=True):
    """A value about a person: kept apart, erasable, under the person's key ("user:<id>")."""

    value: str
    subject: str = ""


class Actor(msgspec.Struct, frozen=True):
    """Who did it; the name of a person is gone once erased."""

    id: UUID | None
    name: str | None
    kind: str
    role: str


class Entry(msgspec.Struct, frozen=True):
    """One act, as it is told. `changes_count` counts the changes that the reader may see."""

    id: UUID
    position: int | None
    act: str
    actor: Actor
    occurred: datetime
    recorded: datetime
    reason: str | None
    request_id: str
    params: dict[str, Any]
    personal: dict[str, str]
    erased: list[str]
    changes_count: int
    changes: list[Change] = []
    # The act that a reaction answered with this one, as far as the reader may see it, and how many
    # reactions led here one after the other.
    caused_by: UUID | None = None
    chain: int = 0


class Reaction(msgspec.Struct, frozen=True):
    """Something that happens because of an act, in one transaction with the memory of having
    happened.

    `acts` None is every act. It starts from now: what was before its first start is nothing to it,
    unless `from_now` is False. It acts as a principal of kind rule with its own name, on
    everything unless `scope` is narrower; acts outside that scope are not handled. Entries hold the
    first changes of an act: `changes_of` gives all of them.
    """

    name: str
    acts: frozenset[str] | None
    handle: "Callable[[Unit, Entry], Awaitable[None]]"
    from_now: bool = True
    tries: int = 8
    scope: Scope = EVERYTHING

    @property
    def principal(self) -> Principal:
        """Who acts: a rule, with the rights of its scope and no more."""
        role, scope = "administrator", self.scope
        if scope.everything:
            return Principal(None, self.name, "rule", (Grant(role),))
        grants = [Grant(role, *pair.split("/", 1)) for pair in sorted(scope.pairs)]
        grants += [Grant(role, municipality) for municipality in sorted(scope.municipalities)]
        grants += [Grant(role, trade=trade) for trade in sorted(scope.trades)]
        return Principal(None, self.name, "rule", tuple(grants))


class Parked(msgspec.Struct, frozen=True):
    """An act that a reaction could not handle: listed until someone has it tried again (`retry`:
    it soon will be)."""

    reaction: str
    position: int
    entry: UUID
    tries: int
    error: str
    parked: datetime
    retry: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it was sealed."""

    code: str
    position: int | None = None
    entry: UUID | None = None
    block: int | None = None
    detail: str = ""


class Report(msgspec.Struct):
    """What `verify` found; `whole` when nothing."""

    entries: int = 0
    changes: int = 0
    sealed: int = 0
    blocks: int = 0
    erased: int = 0
    retired: list[date] = []
    findings: list[Finding] = []
    truncated: bool = False

    @property
    def whole(self) -> bool:
        """True when everything sealed is as it was."""
        return not self.findings
