"""What a sensitive act asks of who does it, beside the permission: a fresh login, a second person.

    demands.demand_fresh(unit)
    await demands.demand_second(unit, Act("logbook.close", ("logbook.shift", key), {"until": 5},
                                          permission="logbook.close", municipality="21231"))

A fresh login is the person's own word, moments ago: their password or a passkey, or a provider that
asked them again. A second person approves one act with its parameters (see core.access.approvals);
the one who asked then does exactly that, once.
"""

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access.model import Caller
from vigie.core.database import Unit
from vigie.core.errors import Forbidden
from vigie.core.scope import Principal, scope_key

FRESH = timedelta(minutes=5)


class Act(msgspec.Struct, frozen=True):
    """One act on one object with its parameters: what a second person approves.

    Whoever approves holds `permission` where the object is. `params` is what they read: plain
    JSON, with all that changes what the act does.
    """

    name: str
    subject: tuple[str, str]
    params: dict[str, Any]
    permission: str
    municipality: str = ""
    trade: str = ""
    compartment: str = ""

    @property
    def scopes(self) -> list[str]:
        """The keys of the journal's acts about it: those of its compartment, where it has one."""
        if not self.compartment:
            return []
        return [scope_key(self.municipality, self.trade, self.compartment)]

    @property
    def digest(self) -> bytes:
        """The same for the same act, whatever the order of its parameters."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).digest()


def demand_fresh(who: Unit | Caller | Principal, within: timedelta = FRESH) -> None:
    """Raises Forbidden unless the person behind it showed who they are within that time.

    The platform itself is no person; a token and a rule cannot be asked and are refused."""
    principal = who if isinstance(who, Principal) else who.principal
    if principal.kind == "system":
        return
    now = clock.now()
    if principal.fresh is not None and now - principal.fresh <= within:
        return
    minutes = round(within.total_seconds() / 60)
    raise Forbidden(
        "fresh_login_needed",
        f"This asks for a login of the last {minutes} minutes: confirm who you are with POST "
        "/api/v1/session/confirm, then send it again. Tokens cannot do it.",
        {"minutes": minutes},
    )


async def demand_second(unit: Unit, act: Act) -> None:
    """Raises Forbidden unless somebody else approved exactly this act; uses the approval up.

    The refusal says what to send to POST /api/v1/approvals. The platform itself asks nobody."""
    if unit.principal.kind == "system":
        return
    now = clock.now()
    found = await unit.execute(
        text(
            """
            update access.approval approval set done = :now
            where approval.id = (
              select one.id from access.approval one
              join access.account approver on approver.id = one.decided_by
              where one.asked_by = :me and one.digest = :digest and one.decision = 'approved'
                and one.done is null and one.expires > :now and approver.active
                and approver.id <> one.asked_by
              order by one.decided limit 1
              for update of one skip locked
            )
            returning approval.id, approval.decided_by
            """
        ),
        {"now": now, "me": unit.principal.person, "digest": act.digest},
    )
    used = found.one_or_none()
    if used is not None:
        await journal.record(
            unit,
            "access.approval_used",
            params={
                "approval": str(used.id),
                "act": act.name,
                "approved_by": str(used.decided_by),
            },
            scopes=act.scopes,
        )
        return
    raise Forbidden(
        "second_person_needed",
        "This needs a second person: ask for it with POST /api/v1/approvals, and send it again "
        "once somebody who holds the same permission has approved.",
        {
            "act": act.name,
            "object_type": act.subject[0],
            "object_id": act.subject[1],
            "params": act.params,
            "permission": act.permission,
            "municipality": act.municipality,
            "trade": act.trade,
            "compartment": act.compartment,
        },
    )
