"""Call cascades: one after another is called until someone answers, and each step is recorded.

A step is a job inside one transaction: it calls whom it names and defers the next, so that a
cascade neither skips nor repeats a step, whatever is killed meanwhile.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import column, table, text

from vigie.core import clock, jobs, journal, states, verbs
from vigie.core.database import Unit
from vigie.core.errors import Invalid, NotFound, VigieError
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.templates import check
from vigie.notify import contacts, rules, service
from vigie.notify.listing import shown
from vigie.notify.model import (
    CallStep,
    Cascade,
    CascadeDetail,
    NewCascade,
    OnCall,
    Started,
    Step,
    To,
)
from vigie.notify.rules import CASCADE

CASCADES = table("cascade", column("id"), schema="notify")
STEP_JOB = "notify.cascade_step"

_INSERT = text(
    """
    insert into notify.cascade
        (id, key, template, params, urgent, municipality, trade, created, created_by, request_id)
    values (:id, :key, :template, cast(:params as jsonb), :urgent, :municipality, :trade, :now,
        :by, :request)
    on conflict (key) do nothing
    """
)
_STEP = text(
    "insert into notify.cascade_step (cascade, ordinal, account, contact, role, channel, wait_s)"
    " values (:cascade, :ordinal, :account, :contact, :role, :channel, :wait_s)"
)
_LISTED = (
    "select d.id, d.template, d.state, d.current, d.municipality, d.trade, d.created,"
    " d.acknowledged_at, c.name as acknowledged_by, d.ended, d.version"
    " from notify.cascade d left join notify.contact c on c.id = d.acknowledged_by"
)


class StepJob(msgspec.Struct, frozen=True):
    """The step that is due; one past the last ends the cascade."""

    cascade: UUID
    ordinal: int


async def start(unit: Unit, new: NewCascade) -> Started:
    """Begin to call. Sent again with the same key, it is the same cascade.

    Raises Invalid for an unknown template, wrong parameters or a step that names nobody; Forbidden
    outside the caller's scope; NotFound for people who do not exist.
    """
    template = service.template_of(unit, new.template)
    params = check(template, new.params)
    service.demand_scope(unit, new.municipality, new.trade)
    for ordinal, step in enumerate(new.steps):
        await _demand_target(unit, ordinal, step)
    made = uuid7()
    inserted = await unit.execute(
        _INSERT,
        {
            "id": made, "key": new.key, "template": template.name,
            "params": msgspec.json.encode(params).decode(), "urgent": True,
            "municipality": new.municipality, "trade": new.trade, "now": clock.now(),
            "by": unit.principal.id, "request": unit.request_id,
        },
    )  # fmt: skip
    if not inserted.rowcount:
        found = await unit.execute(
            text("select id from notify.cascade where key = :key"), {"key": new.key}
        )
        known: UUID | None = found.scalar_one_or_none()
        if known is None:
            raise _not_found(new.key or "")
        return Started(known)
    await unit.execute(
        _STEP,
        [
            {"cascade": made, "ordinal": ordinal, **msgspec.structs.asdict(step)}
            for ordinal, step in enumerate(new.steps)
        ],
    )
    await jobs.defer(unit, STEP_JOB, {"cascade": str(made), "ordinal": 0}, key=f"{made}:0")
    await _record(
        unit, "notify.cascade_started", made, new.municipality, new.trade, None,
        {"template": template.name, "steps": len(new.steps)},
    )  # fmt: skip
    return Started(made)


async def run_step(unit: Unit, due: StepJob) -> None:
    """Call whom a step names, and defer the next. Does nothing once the cascade ended, or when
    this step was done already (it had been hurried)."""
    found = await unit.execute(
        text("select * from notify.cascade where id = :id for update"), {"id": due.cascade}
    )
    row = found.mappings().one_or_none()
    if row is None or row["state"] != "running" or row["current"] != due.ordinal - 1:
        return
    found = await unit.execute(
        text("select * from notify.cascade_step where cascade = :id and ordinal = :ordinal"),
        {"id": due.cascade, "ordinal": due.ordinal},
    )
    step = found.mappings().one_or_none()
    if step is None:
        done = await states.step(
            unit, CASCADE, CASCADES, due.cascade, "exhaust", sets={"ended": clock.now()}
        )
        await _record_step(unit, "notify.cascade_exhausted", done)
        return
    reached, why = await _targets(unit, step)
    now = clock.now()
    if reached:
        await service.write(
            unit, service.template_of(unit, row["template"]), row["params"], reached,
            channel=step["channel"], urgent=row["urgent"], municipality=row["municipality"],
            trade=row["trade"], cascade=due.cascade, step=due.ordinal,
        )  # fmt: skip
    await unit.execute(
        text(
            "update notify.cascade_step set outcome = :outcome, reached = :reached, at = :now"
            " where cascade = :id and ordinal = :ordinal"
        ),
        {"outcome": "called" if reached else "nobody", "reached": len(reached), "now": now,
         "id": due.cascade, "ordinal": due.ordinal},
    )  # fmt: skip
    await unit.execute(
        text("update notify.cascade set current = :ordinal where id = :id"),
        {"ordinal": due.ordinal, "id": due.cascade},
    )
    await _record(
        unit, "notify.cascade_stepped", due.cascade, row["municipality"], row["trade"],
        {"step": due.ordinal - 1},
        {"step": due.ordinal, "role": step["role"], "reached": len(reached), "why": why},
    )  # fmt: skip
    following = StepJob(due.cascade, due.ordinal + 1)
    await jobs.defer(
        unit,
        STEP_JOB,
        following,
        at=now + timedelta(seconds=step["wait_s"]) if reached else now,
        key=f"{due.cascade}:{following.ordinal}",
    )


async def acknowledge(
    unit: Unit, cascade: UUID, contact: UUID, *, by_link: bool = False
) -> Cascade:
    """Someone answers: nobody else is called. A second answer changes nothing and says who was
    first. Raises NotFound, Conflict for a cascade that was cancelled."""
    now = clock.now()
    done = await states.step(
        unit, CASCADE, CASCADES, cascade, "acknowledge",
        sets={"acknowledged_at": now, "acknowledged_by": contact, "ended": now},
    )  # fmt: skip
    if done.changed:
        await _stop_calls(unit, cascade)
        name = (await contacts.read(unit, contact)).name
        await _record_step(
            unit, "notify.cascade_acknowledged", done, {"by_link": by_link},
            {"contact": journal.Personal(name, f"contact:{contact}")},
        )  # fmt: skip
    return await _read(unit, cascade)


async def cancel(unit: Unit, cascade: UUID, version: int | None = None) -> Cascade:
    """Call nobody else. Raises Conflict for a cascade that ended."""
    done = await states.step(
        unit, CASCADE, CASCADES, cascade, "cancel", version=version, sets={"ended": clock.now()}
    )
    if done.changed:
        await _stop_calls(unit, cascade)
        await _record_step(unit, "notify.cascade_cancelled", done)
    return await _read(unit, cascade)


async def read_cascade(unit: Unit, cascade: UUID) -> CascadeDetail:
    """A cascade with its steps and messages. Raises NotFound."""
    one = await _read(unit, cascade)
    steps = await unit.execute(
        text(
            "select ordinal, account, contact, role, channel, wait_s, outcome, reached, at"
            " from notify.cascade_step where cascade = :id order by ordinal"
        ),
        {"id": cascade},
    )
    messages = await unit.execute(
        text(f"{service.LISTED} {service.JOINED} where m.cascade = :id order by m.step, m.id"),
        {"id": cascade},
    )
    possible = [v for v in CASCADE.verbs_from(one.state) if v != "exhaust"]
    return CascadeDetail(
        one,
        [Step(*row) for row in steps],
        [shown(row) for row in messages.mappings()],
        possible,
    )


async def who_is_on_call(unit: Unit, role: str) -> list[OnCall]:
    """Who answers for a role now, by the duty room's verb. Raises VigieError when nobody says."""
    found = await verbs.call(unit, "duty.on_call", {"function": role})
    people = [person for function in found for person in function.people]
    return [msgspec.convert(person, OnCall, from_attributes=True) for person in people]


async def _targets(unit: Unit, step: Any) -> tuple[list[UUID], str]:
    """The contacts that a step calls, and why there are none."""
    if step["contact"] is not None:
        return [step["contact"]], ""
    people = [OnCall(account=step["account"])] if step["account"] is not None else []
    if step["role"]:
        try:
            people = await who_is_on_call(unit, step["role"])
        except (VigieError, msgspec.ValidationError) as error:
            return [], getattr(error, "code", "invalid_input")
    found: list[UUID] = []
    for one in people:
        try:
            if one.contact is not None:
                found.append((await contacts.read(unit, one.contact)).id)
            elif one.account is not None:
                found.append(await contacts.of_account(unit, one.account))
            elif number := rules.international(one.phone):
                # Of a team, without an account: their number is all there is.
                found.append(await contacts.resolve(unit, To(phone=number, name=one.name)))
        except NotFound:
            continue
    return list(dict.fromkeys(found)), "" if found else "nobody"


async def _demand_target(unit: Unit, ordinal: int, step: CallStep) -> None:
    named = [bool(step.account), bool(step.contact), bool(step.role)]
    if sum(named) != 1:
        raise Invalid(
            "step_target",
            "Each step calls one of an account, a contact or a role on duty.",
            errors=[{"field": f"steps[{ordinal}]", "code": "invalid",
                     "message": "exactly one of account, contact, role"}],
        )  # fmt: skip
    if step.contact is not None:
        await contacts.read(unit, step.contact)
    if step.account is not None:
        await contacts.of_account(unit, step.account)


async def _stop_calls(unit: Unit, cascade: UUID) -> None:
    """Messages of the cascade that wait are not sent any more."""
    await unit.execute(
        text(
            "update notify.message set state = 'cancelled', version = version + 1"
            " where cascade = :id and state = 'queued'"
        ),
        {"id": cascade},
    )


async def _read(unit: Unit, cascade: UUID) -> Cascade:
    found = await unit.execute(text(f"{_LISTED} where d.id = :id"), {"id": cascade})
    row = found.mappings().one_or_none()
    if row is None:
        raise _not_found(str(cascade))
    return Cascade(**row)


async def _record_step(
    unit: Unit,
    act: str,
    done: states.Step,
    more: dict[str, Any] | None = None,
    personal: dict[str, journal.Personal] | None = None,
) -> None:
    row = done.row
    await _record(
        unit, act, row["id"], row["municipality"], row["trade"], {"state": done.before},
        {"state": done.after, **(more or {})}, personal,
    )  # fmt: skip


async def _record(
    unit: Unit,
    act: str,
    cascade: UUID,
    municipality: str,
    trade: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    personal: dict[str, journal.Personal] | None = None,
) -> None:
    await journal.record(
        unit,
        act,
        params={"cascade": str(cascade)},
        changes=[
            Change("notify.cascade", str(cascade), before, after,
                   service.scope(municipality, trade))
        ],
        personal=personal,
    )  # fmt: skip


def _not_found(cascade: str) -> NotFound:
    return NotFound("object_not_found", f"There is no notify.cascade {cascade}.",
                    {"type": "notify.cascade", "id": cascade})  # fmt: skip
