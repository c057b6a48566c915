"""Provisioning by claim code: a box asks for its client's secret with the code printed on it.

    a person issues a code for a client           issue_code     (shown this once, printed)
    the box sends it                              claim          (once; answers a ticket)
    a person sees who asks and approves           decide         (journalled)
    the box comes back with its ticket            collect        (once: a new secret)

The code is short-lived and of 60 random bits; wrong ones are counted by address, and together. The
secret is made when it is collected, so that it is nowhere before; an older one is void then.
"""

import secrets
import time
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import ids, journal
from vigie.core.bus import Bus
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, NotFound, TooMany
from vigie.gateways.clients.book import digest
from vigie.gateways.clients.service import locked, rotate_secret

# No vowels and no look-alikes: it is typed from a label.
_ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 12
VALID = timedelta(days=7)
_MOST_TRIES = 10
_MOST_TOGETHER = 300
_WINDOW_S = 300.0
_MOST_ADDRESSES = 10_000


class ClaimCode(msgspec.Struct, frozen=True):
    """A code, shown this once."""

    id: UUID
    client: str
    code: str
    expires: datetime


class Claim(msgspec.Struct, frozen=True):
    """Who asks for a client's secret."""

    id: UUID
    client: str
    name: str
    created: datetime
    expires: datetime
    claimed: datetime | None
    address: str
    decided: datetime | None
    approved: bool | None
    collected: datetime | None


class Ticket(msgspec.Struct, frozen=True):
    """What the box comes back with."""

    ticket: str
    expires: datetime


class Collected(msgspec.Struct, frozen=True):
    """What a box is told: to wait, or its client and secret, this once."""

    state: Literal["waiting", "refused", "given"]
    client: str = ""
    secret: str = ""
    protocol: str = ""
    shard: int = 0


class Tries:
    """Wrong codes of one process, by address and together, in the last five minutes."""

    def __init__(self) -> None:
        self._since = 0.0
        self._counts: dict[str, int] = {}

    def demand(self, address: str) -> None:
        """Raises TooMany for who guesses."""
        now = time.monotonic()
        if now - self._since > _WINDOW_S or len(self._counts) > _MOST_ADDRESSES:
            self._since, self._counts = now, {}
        together = sum(self._counts.values())
        if self._counts.get(address, 0) >= _MOST_TRIES or together >= _MOST_TOGETHER:
            raise TooMany(
                "too_many_claims",
                "Too many wrong codes: try again in five minutes.",
                {"after_s": round(_WINDOW_S - (now - self._since))},
            )

    def wrong(self, address: str) -> None:
        """One more."""
        self._counts[address] = self._counts.get(address, 0) + 1


async def issue_code(unit: Unit, token: str, reason: str | None = None) -> ClaimCode:
    """A code for a client; earlier ones that nobody used are void. Raises NotFound, Conflict."""
    scope = await locked(unit, token)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    municipality, _, trade = scope.partition("/")
    await unit.execute(
        text(
            """
            delete from gateways.claim
            where collected is null
             and client = (select id from gateways.client where token = :token)
            """
        ),
        {"token": token},
    )
    row = (
        await unit.execute(
            text(
                """
                insert into gateways.claim
                 (id, client, code_sha256, expires, municipality, trade)
                select :id, id, :digest, now() + :valid, :municipality, :trade
                from gateways.client where token = :token
                returning id, expires
                """
            ),
            {
                "id": ids.uuid7(),
                "digest": digest(code),
                "valid": VALID,
                "token": token,
                "municipality": municipality,
                "trade": trade,
            },
        )
    ).one()
    await journal.record(
        unit, "gateways.code_issued", params={"client": token}, reason=reason, scopes=[scope]
    )
    shown = "-".join(code[at : at + 4] for at in range(0, _LENGTH, 4))
    return ClaimCode(row.id, token, shown, row.expires)


async def claim(unit: Unit, code: str, address: str) -> Ticket:
    """Ask with a code; works once. Raises Forbidden for one that is wrong, old or used: the answer
    does not say which."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    ticket = ids.secret()
    row = (
        await unit.execute(
            text(
                """
                update gateways.claim k
                set claimed = now(), address = :address, ticket_sha256 = :ticket
                from gateways.client c
                where c.id = k.client and c.revoked is null and k.code_sha256 = :code
                 and k.claimed is null and k.expires > now()
                returning c.token, k.expires, c.municipality || '/' || c.trade as scope
                """
            ),
            {"address": address[:64], "ticket": digest(ticket), "code": digest(plain)},
        )
    ).one_or_none()
    if row is None:
        raise Forbidden("code_wrong", "The code is wrong, too old or was used: ask for a new one.")
    await journal.record(
        unit,
        "gateways.claimed",
        params={"client": row.token, "address": address[:64]},
        scopes=[row.scope],
    )
    return Ticket(ticket, row.expires)


async def decide(unit: Unit, claim_id: UUID, *, approved: bool, reason: str | None = None) -> Claim:
    """Approve or refuse who asks. Raises NotFound, Conflict when nobody asked or it is decided."""
    row = (
        await unit.execute(
            text("select claimed, decided, municipality || '/' || trade as scope"
                 " from gateways.claim where id = :id for update"),
            {"id": claim_id},
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound("claim_unknown", "There is no such claim.", {"claim": str(claim_id)})
    if row.claimed is None or row.decided is not None:
        raise Conflict("claim_not_open", "Nobody has asked with this code yet, or it is decided.")
    await unit.execute(
        text("update gateways.claim set decided = now(), approved = :approved where id = :id"),
        {"approved": approved, "id": claim_id},
    )
    found = next(c for c in await read_claims(unit) if c.id == claim_id)
    await journal.record(
        unit,
        "gateways.claim_approved" if approved else "gateways.claim_refused",
        params={"client": found.client, "address": found.address},
        reason=reason,
        scopes=[row.scope],
    )
    return found


async def collect(unit: Unit, bus: Bus, ticket: str) -> Collected:
    """The secret, once approved and this once. Raises Forbidden for a ticket that is none."""
    row = (
        await unit.execute(
            text(
                """
                select k.id, k.approved, c.token, c.protocol, c.shard
                from gateways.claim k join gateways.client c on c.id = k.client
                where k.ticket_sha256 = :ticket and k.collected is null and c.revoked is null
                 and k.expires > now()
                for update of k
                """
            ),
            {"ticket": digest(ticket)},
        )
    ).one_or_none()
    if row is None:
        raise Forbidden("ticket_wrong", "The ticket is wrong, too old or was used.")
    if row.approved is None:
        return Collected("waiting")
    await unit.execute(
        text("update gateways.claim set collected = now() where id = :id"), {"id": row.id}
    )
    if not row.approved:
        return Collected("refused")
    fresh = await rotate_secret(unit, bus, row.token)
    return Collected("given", row.token, fresh.secret, row.protocol, row.shard)


async def read_claims(unit: Unit) -> list[Claim]:
    """Codes and who asked with them, newest first; the last 500."""
    rows = await unit.execute(
        text(
            """
            select k.id, c.token, c.name, k.created, k.expires, k.claimed, k.address, k.decided,
             k.approved, k.collected
            from gateways.claim k join gateways.client c on c.id = k.client
            order by k.created desc, k.id
            limit 500
            """
        )
    )
    return [Claim(*row) for row in rows]
