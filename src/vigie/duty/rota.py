"""The verbs of the rota: who is on call, what says so, and hand-overs.

What the rota said of the past stays: a rule holds from when it was made, and one that is taken
away ends now.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.calendar import Hours
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid
from vigie.core.ids import uuid7
from vigie.core.journal import Change, Personal
from vigie.duty import rules
from vigie.duty.days import days_of
from vigie.duty.model import (
    AbsenceShown,
    Created,
    Function,
    HandedOver,
    HandOver,
    Member,
    NewAbsence,
    OnCall,
    OnCallAt,
    RotaShown,
    RuleShown,
    SpanShown,
    Team,
)
from vigie.duty.rules import Absence, Pattern, Rota, Rule, Shift, Spec, Swap
from vigie.duty.teams import (
    change_of,
    demand_room,
    list_functions,
    members,
    not_found,
    place,
    read_function,
    read_team,
)

MOST_DAYS = 100
# Someone is ill since an hour ago: so far back a rota may still be corrected.
_BACK = timedelta(days=1)
_AHEAD = timedelta(days=3 * 366)
_RULES = (
    "select id, function, since, ended, spec from duty.rule where function = any(:functions)"
    # Ids are in the order in which the rules were made.
    " and (ended is null or ended > :start) order by id"
)
_ABSENCES = (
    "select a.id, a.member, a.starts, a.ends from duty.absence a"
    " join duty.member m on m.id = a.member where m.team = any(:teams)"
    " and a.ends > :start order by a.starts, a.id"
)
_LEFT = "select id, left_at from duty.member where team = any(:teams) and left_at is not null"
_HAND_OVERS = (
    "select id, at, giver, taker, note from duty.hand_over where function = :function"
    " order by at desc, id desc limit :limit"
)


async def on_call(unit: Unit, asked: OnCallAt) -> list[OnCall]:
    """Who is on call for a function (by id or key), or for every one in the caller's scope.

    Raises NotFound for no such function, Invalid for a time out of range.
    """
    at = asked.at or clock.now()
    _demand_time("at", at)
    functions = await list_functions(unit)
    if asked.function:
        wanted = asked.function
        functions = [f for f in functions if wanted in (f.key, str(f.id))]
        if not functions:
            raise not_found("duty.function", wanted)
    rotas = await _rotas(unit, functions, at)
    on = {f.id: rules.on_call(rotas[f.id], at) for f in functions}
    people = await members(unit, {member for ids in on.values() for member in ids})
    days = await days_of(unit)
    return [
        OnCall(
            f,
            at,
            [people[member] for member in on[f.id]],
            len(on[f.id]) >= f.people or bool(f.hours and not Hours(f.hours, days).open_at(at)),
        )
        for f in functions
    ]


async def read_rota(unit: Unit, function_id: UUID, start: datetime, end: datetime) -> RotaShown:
    """Who is on call when, where nobody or too many are, and the rules that say so.

    Raises NotFound, Invalid for a time that is too long.
    """
    function = await read_function(unit, function_id)
    _demand_time("from", start)
    _demand_time("to", end)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if not timedelta() < end - start <= timedelta(days=MOST_DAYS):
        raise _invalid("to", f"a rota is shown for up to {MOST_DAYS} days after `from`")
    rota = (await _rotas(unit, [function], start))[function.id]
    spans = rules.spans(rota, start, end)
    needed = [(start, end)]
    if function.hours:
        needed = Hours(function.hours, await days_of(unit)).spans(start, end)
    team = await read_team(unit, function.team)
    rows = await unit.execute(text(_ABSENCES), {"teams": [team.id], "start": start})
    return RotaShown(
        function,
        team.members,
        [SpanShown(span.start, span.end, list(span.members)) for span in spans],
        rules.faults(spans, function.people, needed),
        [_shown(rule) for rule in rota.rules if rule.since < end],
        [AbsenceShown(*row) for row in rows if row.starts < end],
    )


async def add_rule(unit: Unit, function_id: UUID, spec: Spec) -> Created:
    """Say who is on call from now on. Raises NotFound, Invalid, TooMany."""
    now, zone = clock.now(), await unit.zone()
    if not isinstance(spec, Pattern):
        _demand_near(spec.start, spec.end, now)
    rules.demand_sound(spec)
    if isinstance(spec, Pattern) and not (now.year - 1 <= spec.first.year <= now.year + 3):
        raise _invalid("first", "the first day is within a year back and three ahead")
    function = await read_function(unit, function_id, lock=True)
    team = await read_team(unit, function.team)
    strangers = rules.members_of(spec) - {m.id for m in team.members if m.active}
    if strangers:
        raise _invalid("members", f"{min(strangers)} is not an active member of {team.name}")
    await demand_room(
        unit, "rule", "function = :function and (ended is null or ended > :now)",
        {"function": function_id, "now": now},
    )  # fmt: skip
    since = now if isinstance(spec, Pattern) else min(now, spec.start)
    made = Rule(uuid7(), since, rules.end_of(spec, zone), spec)
    await unit.execute(
        text(
            "insert into duty.rule (id, function, since, ended, spec)"
            " values (:id, :function, :since, :ended, cast(:spec as jsonb))"
        ),
        {"id": made.id, "function": function_id, "since": since, "ended": made.ended,
         "spec": msgspec.json.encode(spec).decode()},
    )  # fmt: skip
    await journal.record(
        unit, "duty.rota_changed", params={"function": function.name},
        changes=[change_of(team, function, None, {"rule": str(made.id), "says": spec})],
    )  # fmt: skip
    return Created(made.id)


async def end_rule(unit: Unit, rule_id: UUID) -> None:
    """Let a rule say nothing more. Raises NotFound, Conflict when it has ended already."""
    found = await unit.execute(
        text("select id, function, since, ended, spec from duty.rule where id = :id for update"),
        {"id": rule_id},
    )
    row = found.one_or_none()
    if row is None:
        raise not_found("duty.rule", rule_id)
    now = clock.now()
    if row.ended is not None and row.ended <= now:
        raise Conflict("rota_past", "This has ended already: what was said of the past stays.")
    await unit.execute(
        text("update duty.rule set ended = :now where id = :id"), {"now": now, "id": rule_id}
    )
    function = await read_function(unit, row.function)
    await journal.record(
        unit, "duty.rota_changed", params={"function": function.name},
        changes=[
            change_of(
                await read_team(unit, function.team), function,
                {"rule": str(rule_id), "says": row.spec}, None,
            )
        ],
    )  # fmt: skip


async def add_absence(unit: Unit, member_id: UUID, new: NewAbsence) -> Created:
    """A time in which a member cannot be called. Raises NotFound, Invalid, TooMany."""
    now = clock.now()
    _demand_near(new.start, new.end, now)
    if new.end <= new.start:
        raise _invalid("end", "the end is after the start")
    team = await _team_of(unit, member_id)
    await demand_room(
        unit, "absence", "member = :member and ends > :now", {"member": member_id, "now": now}
    )
    made = uuid7()
    await unit.execute(
        text("insert into duty.absence values (:id, :member, :starts, :ends)"),
        {"id": made, "member": member_id, "starts": new.start, "ends": new.end},
    )
    shown = {"absence": str(made), "member": str(member_id), "start": new.start, "end": new.end}
    await journal.record(
        unit, "duty.absence_added", params={"team": team.name},
        changes=[Change("duty.team", str(team.id), None, shown, place(team))],
    )  # fmt: skip
    return Created(made)


async def end_absence(unit: Unit, absence_id: UUID) -> None:
    """Back already, or not away after all. Raises NotFound, Conflict when it is over."""
    found = await unit.execute(
        text("select member, starts, ends from duty.absence where id = :id for update"),
        {"id": absence_id},
    )
    row = found.one_or_none()
    if row is None:
        raise not_found("duty.absence", absence_id)
    now = clock.now()
    if row.ends <= now:
        raise Conflict("rota_past", "This has ended already: what was said of the past stays.")
    statement = "update duty.absence set ends = :now where id = :id"
    if row.starts >= now:
        statement = "delete from duty.absence where id = :id"
    await unit.execute(text(statement), {"now": now, "id": absence_id})
    team = await _team_of(unit, row.member)
    shown = {"absence": str(absence_id), "member": str(row.member)}
    await journal.record(
        unit, "duty.absence_ended", params={"team": team.name},
        changes=[Change("duty.team", str(team.id), shown, None, place(team))],
    )  # fmt: skip


async def hand_over(unit: Unit, new: HandOver) -> HandedOver:
    """Write down who handed a duty to whom, and what they should know.

    The rota stays as it is: who takes over outside it makes a swap too. Raises NotFound, Invalid.
    """
    function = await read_function(unit, new.function)
    team = await read_team(unit, function.team)
    if new.giver == new.taker:
        raise _invalid("taker", "a duty is handed to someone else")
    by_id = {member.id: member for member in team.members}
    for field, member in (("giver", new.giver), ("taker", new.taker)):
        if member not in by_id or (field == "taker" and not by_id[member].active):
            raise _invalid(field, f"{member} is not an active member of {team.name}")
    made = HandedOver(
        uuid7(), function, clock.now(), by_id[new.giver], by_id[new.taker], new.note.strip()
    )
    shown = {"hand_over": str(made.id), "giver": str(new.giver), "taker": str(new.taker)}
    named = {
        field: Personal(member.name, _subject(member))
        for field, member in (("giver", made.giver), ("taker", made.taker))
        if member.name
    }
    entry = await journal.record(
        unit, "duty.handed_over", params={"function": function.name}, reason=made.note or None,
        personal=named, changes=[change_of(team, function, None, shown)],
    )  # fmt: skip
    await unit.execute(
        text(
            "insert into duty.hand_over (id, function, at, giver, taker, note, entry)"
            " values (:id, :function, :at, :giver, :taker, :note, :entry)"
        ),
        {"id": made.id, "function": function.id, "at": made.at, "giver": new.giver,
         "taker": new.taker, "note": made.note, "entry": entry},
    )  # fmt: skip
    return made


async def list_hand_overs(unit: Unit, function_id: UUID, limit: int) -> list[HandedOver]:
    """The last hand-overs of a function, newest first. Raises NotFound."""
    function = await read_function(unit, function_id)
    rows = await unit.execute(text(_HAND_OVERS), {"function": function_id, "limit": limit})
    found = rows.all()
    people = await members(unit, {m for row in found for m in (row.giver, row.taker)})
    return [
        HandedOver(row.id, function, row.at, people[row.giver], people[row.taker], row.note)
        for row in found
    ]


async def _rotas(unit: Unit, functions: Collection[Function], start: datetime) -> dict[UUID, Rota]:
    """The rotas of functions as they are from an instant on."""
    zone = await unit.zone()
    ids, teams = [f.id for f in functions], sorted({f.team for f in functions})
    rows = await unit.execute(text(_RULES), {"functions": ids, "start": start})
    by_function: dict[UUID, list[Rule]] = {id_: [] for id_ in ids}
    for row in rows:
        spec: Spec = msgspec.convert(row.spec, Spec)
        by_function[row.function].append(Rule(row.id, row.since, row.ended, spec))
    absent = await unit.execute(text(_ABSENCES), {"teams": teams, "start": start})
    absences = [Absence(row.member, row.starts, row.ends) for row in absent]
    left = await unit.execute(text(_LEFT), {"teams": teams})
    absences += [Absence(row.id, row.left_at, clock.LATEST) for row in left]
    return {id_: Rota(zone, by_function[id_], absences) for id_ in ids}


async def _team_of(unit: Unit, member_id: UUID) -> Team:
    found = await unit.execute(
        text("select team from duty.member where id = :id"), {"id": member_id}
    )
    team = found.scalar_one_or_none()
    if team is None:
        raise not_found("duty.member", member_id)
    return await read_team(unit, team)


def _shown(rule: Rule) -> RuleShown:
    spec = rule.spec
    return RuleShown(
        rule.id, rule.since, rule.ended,
        spec if isinstance(spec, Pattern) else None,
        spec if isinstance(spec, Shift) else None,
        spec if isinstance(spec, Swap) else None,
    )  # fmt: skip


def _subject(member: Member) -> str:
    return f"user:{member.account}" if member.account else f"duty:{member.id}"


def _demand_near(start: datetime, end: datetime, now: datetime) -> None:
    for field, instant in (("start", start), ("end", end)):
        _demand_time(field, instant)
    if start < now - _BACK:
        raise _invalid("start", "a rota is not changed more than a day back")
    if end > now + _AHEAD:
        raise _invalid("end", "a rota is made for three years ahead at most")


def _demand_time(field: str, instant: datetime) -> None:
    fault = clock.fault_of(instant)
    if fault is not None:
        raise Invalid(
            fault,
            f"The input is not valid: {field}: {clock.FAULTS[fault]}.",
            errors=[{"field": field, "code": fault, "message": clock.FAULTS[fault]}],
        )


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(
        "rota_unsound",
        f"This cannot be followed: {message}.",
        {"field": field},
        errors=[{"field": field, "code": "rota_unsound", "message": message}],
    )


def spans_of(shown: RotaShown, member: UUID | None) -> Sequence[tuple[SpanShown, Any]]:
    """The times in which someone is on call (or one member), with who it is."""
    by_id = {m.id: m for m in shown.members}
    return [
        (span, [by_id[m] for m in span.members])
        for span in shown.spans
        if span.members and (member is None or member in span.members)
    ]
