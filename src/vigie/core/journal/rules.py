"""What is hashed and how: canonical bytes, digests, block headers. Pure.

A record is a row of fields, each written as `<length>:<bytes>,` (`-` for nothing): no two records
share their bytes. JSON is taken as PostgreSQL prints a jsonb: keys sorted, duplicates gone,
numbers exact; so what was sealed and what is read back years later are the same bytes.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from vigie.core.scope import Scope

Field = bytes | str | int | datetime | date | UUID | None
GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(*fields: Field) -> bytes:
    """The bytes of one record."""
    parts: list[bytes] = []
    for field in fields:
        if field is None:
            parts.append(b"-")
            continue
        if isinstance(field, bytes):
            data = field
        elif isinstance(field, str):
            data = field.encode()
        elif isinstance(field, datetime):
            data = str((field - _EPOCH) // _MICROSECOND).encode()
        elif isinstance(field, UUID):
            data = field.bytes
        else:
            data = str(field).encode()
        parts.append(b"%d:%b," % (len(data), data))
    return b"".join(parts)


class EntryFacts(msgspec.Struct, frozen=True):
    """The fields of an entry that its seal covers; `params` and `personal` are jsonb texts."""

    id: UUID
    recorded: datetime
    occurred: datetime
    act: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    role: str
    request_id: str
    params: str
    personal: str
    scopes: list[str]
    changes: int
    caused_by: UUID | None = None
    chain: int = 0


def entry_digest(position: int, entry: EntryFacts, changes: bytes) -> bytes:
    """Digest of one act at its position, with the digest of its changes.

    An act that a reaction caused is of the second form, which covers its cause; every other act is
    of the first, as all were before there were causes. A cause that is added to an act, or taken
    from it, changes the form and so the digest.
    """
    caused = entry.caused_by is not None or entry.chain != 0
    return hashlib.sha256(
        encode(
            "vigie-entry-2" if caused else "vigie-entry-1",
            position,
            entry.id,
            entry.recorded,
            entry.occurred,
            entry.act,
            entry.actor_kind,
            entry.actor_id,
            entry.actor_name,
            entry.role,
            entry.request_id,
            entry.params,
            entry.personal,
            encode(*entry.scopes),
            entry.changes,
            changes,
            *((entry.caused_by, entry.chain) if caused else ()),
        )
    ).digest()


class ChangesDigest:
    """Digest of a list of changes, fed one row at a time."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"vigie-changes-1")
        self.count = 0

    def add(
        self,
        ordinal: int,
        object_type: str,
        object_id: str,
        scope: str,
        before: str | None,
        after: str | None,
    ) -> None:
        """The next change, its values as jsonb texts."""
        self._hash.update(encode(ordinal, object_type, object_id, scope, before, after))
        self.count += 1

    def digest(self) -> bytes:
        """Of all changes so far."""
        return self._hash.digest()


NO_CHANGES = ChangesDigest().digest()


def personal_digest(salt: bytes, field: str, value: str) -> str:
    """What an entry keeps of a personal value: nothing can be told from it without the salt."""
    return hmac.new(salt, encode(field, value), hashlib.sha256).hexdigest()


class Header(msgspec.Struct, frozen=True):
    """A block: a run of positions of one month, tied to the block before."""

    number: int
    first: int
    last: int
    month: date
    digests: bytes
    previous: bytes
    sealed: datetime
    key: str

    def digest(self) -> bytes:
        """What is signed, exported, and named as `previous` by the next block."""
        return hashlib.sha256(
            encode(
                "vigie-block-1",
                self.number,
                self.first,
                self.last,
                self.month.isoformat(),
                hashlib.sha256(self.digests).digest(),
                self.previous,
                self.sealed,
                self.key,
            )
        ).digest()

    def of(self, position: int) -> bytes:
        """The digest of the entry at a position of this block."""
        start = (position - self.first) * 32
        return self.digests[start : start + 32]


def run_of_one_month(recorded: Iterable[datetime]) -> int:
    """How many of the first entries share the month of the first: a block holds one month, so
    that retention can drop its entries and keep its header."""
    count = 0
    month: date | None = None
    for instant in recorded:
        if month is not None and month_of(instant) != month:
            break
        month = month_of(instant)
        count += 1
    return count


def month_of(instant: datetime) -> date:
    """First day of its month, UTC."""
    return instant.astimezone(UTC).date().replace(day=1)


def backoff_s(tries: int) -> float:
    """Pause before a reaction's next try: 0.5, 1, 2, 4 … at most 60 s."""
    return min(0.5 * 2 ** min(tries - 1, 10), 60.0)


MOST_CHAIN = 16
"""So many reactions may lead to an act, one after the other; what follows would be a loop."""


def erased_fields(digests: Mapping[str, str], present: Iterable[str]) -> list[str]:
    """The personal fields an entry once had and has no more."""
    there = set(present)
    return sorted(field for field in digests if field not in there)


# What acts say of themselves as a whole: not for who sees a part.
_OF_THE_WHOLE = frozenset(
    {"total", "counts", "assets", "gateways", "devices"}
    | {"created", "changed", "unchanged", "refused", "kept"}
)


class Sight(msgspec.Struct, frozen=True):
    """How much of an act someone sees."""

    changes: int
    whole: bool

    def params(self, params: dict[str, Any]) -> dict[str, Any]:
        """The act's parameters, without its totals when only a part is seen."""
        if self.whole:
            return params
        return {name: value for name, value in params.items() if name not in _OF_THE_WHOLE}


def sight(scope: Scope, scopes: Iterable[str], tally: Mapping[str, int]) -> Sight:
    """What a scope shows of an act that touches `scopes` and changed `tally` objects in each."""
    # What moved is counted once, under the keys of before and of after.
    seen = {
        keys: n
        for keys, n in tally.items()
        # What is of no place is seen by who sees every place.
        if any(map(scope.holds, keys.split())) or (scope.everything and not keys)
    }
    whole = len(seen) == len(tally) and all(scope.holds(key) for key in scopes)
    return Sight(sum(seen.values()), whole)
