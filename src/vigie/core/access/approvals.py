"""Acts that wait for a second person: asked for, approved or refused by somebody else, done once.

A request holds what the approver must know; what it says of permission and place is the asker's
word, and worth nothing unless the act itself then asks for the same (core.access.demands).
"""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access.demands import Act
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound
from vigie.core.ids import uuid7
from vigie.core.permissions import Catalogue
from vigie.core.scope import NOTHING, Principal

LASTS = timedelta(minutes=15)
MOST_WAITING = 20
_LARGEST_PARAMS = 20_000
_SHOWN = 200

Word = Annotated[str, Meta(max_length=80)]


class NewApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a refusal with the code `second_person_needed` says in its params, and a reason."""

    act: Word
    object_type: Word
    object_id: Annotated[str, Meta(max_length=200)]
    params: dict[str, Any]
    permission: Word
    municipality: Annotated[str, Meta(max_length=20)] = ""
    trade: Annotated[str, Meta(max_length=40)] = ""
    compartment: Annotated[str, Meta(max_length=41)] = ""
    reason: Annotated[str, Meta(max_length=500)] = ""

    def described(self) -> Act:
        """As the act itself names it."""
        return Act(
            self.act,
            (self.object_type, self.object_id),
            self.params,
            self.permission,
            self.municipality,
            self.trade,
            self.compartment,
        )


class Approval(msgspec.Struct, frozen=True):
    """An act that waits, or waited, for a second person."""

    id: UUID
    act: str
    object_type: str
    object_id: str
    params: dict[str, Any]
    permission: str
    municipality: str
    trade: str
    compartment: str
    reason: str
    asked_by: UUID
    asked_by_name: str
    asked: datetime
    expires: datetime
    decision: str | None
    decided_by_name: str | None
    decided: datetime | None
    done: datetime | None


class Approvals(msgspec.Struct, frozen=True):
    """Those that the caller asked for or may decide, newest first."""

    items: list[Approval]


_SELECT = (
    "select p.id, p.act, p.object_type, p.object_id, p.params, p.permission, p.municipality,"
    " p.trade, p.compartment, p.reason, p.asked_by, a.display_name as asked_by_name, p.asked,"
    " p.expires, p.decision, d.display_name as decided_by_name, p.decided, p.done"
    " from access.approval p join access.account a on a.id = p.asked_by"
    " left join access.account d on d.id = p.decided_by"
)


async def ask(unit: Unit, catalogue: Catalogue, new: NewApproval) -> Approval:
    """Ask for a second person. The same act asked for again is answered with the first request.

    Raises Forbidden for what the asker may not do, TooLarge parameters as Invalid, Conflict when
    too many of theirs wait."""
    act, now = new.described(), clock.now()
    if not _may(catalogue, unit.principal, act):
        raise Forbidden(
            "not_permitted",
            f"This needs the permission {act.permission} there.",
            {"permission": act.permission},
        )
    params = msgspec.json.encode(new.params)
    if len(params) > _LARGEST_PARAMS or b"\\u0000" in params:
        raise Invalid(
            "approval_params", "The parameters of an act to approve are too large or not plain."
        )
    me = unit.principal.person
    await unit.execute(
        text("select pg_advisory_xact_lock(7710424, hashtext(:me))"), {"me": str(me)}
    )
    found = await unit.execute(
        text(
            f"{_SELECT} where p.asked_by = :me and p.expires > :now and p.done is null"
            " and (p.decision is null or p.decision = 'approved') and p.digest = :digest"
        ),
        {"me": me, "now": now, "digest": act.digest},
    )
    if (row := found.mappings().first()) is not None:
        return msgspec.convert(dict(row), Approval)
    waiting = await unit.execute(
        text(
            "select count(*) from access.approval where asked_by = :me and expires > :now"
            " and decision is null"
        ),
        {"me": me, "now": now},
    )
    if waiting.scalar_one() >= MOST_WAITING:
        raise Conflict(
            "too_many_approvals",
            f"{MOST_WAITING} acts of yours wait for a second person: take one back first.",
            {"most": MOST_WAITING},
        )
    approval = uuid7()
    await unit.execute(
        text(
            "insert into access.approval (id, act, object_type, object_id, params, digest,"
            " permission, municipality, trade, compartment, reason, asked_by, asked, expires)"
            " values (:id, :act, :object_type, :object_id, cast(:params as jsonb), :digest,"
            " :permission, :municipality, :trade, :compartment, :reason, :me, :now, :expires)"
        ),
        {
            "id": approval,
            "act": new.act,
            "object_type": new.object_type,
            "object_id": new.object_id,
            "params": params.decode(),
            "digest": act.digest,
            "permission": new.permission,
            "municipality": new.municipality,
            "trade": new.trade,
            "compartment": new.compartment,
            "reason": new.reason,
            "me": me,
            "now": now,
            "expires": now + LASTS,
        },
    )
    await journal.record(
        unit,
        "access.approval_requested",
        params={
            "approval": str(approval),
            "act": new.act,
            "object_type": new.object_type,
            "object_id": new.object_id,
        },
        scopes=act.scopes,
    )
    return await _read(unit, approval)


async def listed(unit: Unit, catalogue: Catalogue) -> list[Approval]:
    """What waits for the caller's word, and what they asked for lately."""
    now = clock.now()
    found = await unit.execute(
        text(
            f"{_SELECT} where p.expires > :now and (p.asked_by = :me"
            " or (p.decision is null and p.permission = any(:held)))"
            " order by p.id desc limit :limit"
        ),
        {
            "now": now,
            "me": unit.principal.person,
            "held": sorted(catalogue.held_by(unit.principal)),
            "limit": 5 * _SHOWN,
        },
    )
    rows = [msgspec.convert(dict(row), Approval) for row in found.mappings()]
    mine = unit.principal.person
    seen = [r for r in rows if r.asked_by == mine or _may(catalogue, unit.principal, _act(r))]
    return seen[:_SHOWN]


async def decide(unit: Unit, catalogue: Catalogue, approval: UUID, decision: str) -> Approval:
    """Approve, refuse, or take back ('withdrawn') what one asked for oneself.

    Raises NotFound for what the caller may not see, Forbidden for one's own, Conflict when it is
    decided or over."""
    now = clock.now()
    await unit.execute(
        text("select from access.approval where id = :id for update"), {"id": approval}
    )
    row = await _read(unit, approval)
    own = row.asked_by == unit.principal.person
    if not own and not _may(catalogue, unit.principal, _act(row)):
        raise _none(approval)
    if own != (decision == "withdrawn"):
        raise Forbidden(
            "second_person_is_first",
            "Somebody else approves or refuses what you asked for; only you take it back.",
        )
    if unit.principal.kind != "user":
        raise Forbidden("session_needed", "This is for a person's session, not for a token.")
    if row.decision == decision:
        return row
    if row.decision is not None or row.done is not None or row.expires <= now:
        raise Conflict(
            "approval_over",
            "This request was decided or is too old: ask for it again.",
            {"id": str(approval)},
        )
    await unit.execute(
        text(
            "update access.approval set decision = :decision, decided_by = :me, decided = :now"
            " where id = :id"
        ),
        {"decision": decision, "me": unit.principal.id, "now": now, "id": approval},
    )
    await journal.record(
        unit,
        "access.approval_decided",
        params={"approval": str(approval), "act": row.act, "decision": decision},
        scopes=_act(row).scopes,
    )
    return await _read(unit, approval)


async def _read(unit: Unit, approval: UUID) -> Approval:
    found = await unit.execute(text(f"{_SELECT} where p.id = :id"), {"id": approval})
    row = found.mappings().one_or_none()
    if row is None:
        raise _none(approval)
    return msgspec.convert(dict(row), Approval)


def _may(catalogue: Catalogue, principal: Principal, act: Act) -> bool:
    """An act without a place is of the whole city."""
    scope = catalogue.scope_for(principal, act.permission) or NOTHING
    if not act.municipality and not act.trade:
        return scope.everything and scope.opens(act.compartment, "", "")
    return scope.sees(act.municipality, act.trade, act.compartment)


def _act(row: Approval) -> Act:
    return Act(
        row.act, (row.object_type, row.object_id), row.params, row.permission, row.municipality,
        row.trade, row.compartment,
    )  # fmt: skip


def _none(approval: UUID) -> NotFound:
    return NotFound("approval_not_found", "There is no such request.", {"id": str(approval)})
