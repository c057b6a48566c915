"""Duty over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.params import Parameter

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.states import version
from vigie.core.web import IfMatch, Tagged, delete, get, patch, post
from vigie.duty import rota, teams
from vigie.duty.ical import calendar
from vigie.duty.model import (
    Created,
    Function,
    FunctionChange,
    HandedOver,
    HandOver,
    Member,
    MemberChange,
    NewAbsence,
    NewFunction,
    NewMember,
    NewTeam,
    OnCall,
    OnCallAt,
    RotaShown,
    Team,
    TeamChange,
)
from vigie.duty.rules import Pattern, Shift, Swap

At = Annotated[datetime | None, Parameter(description="An instant; now when it is left out.")]
Most = Annotated[int, Parameter(ge=1, le=200, description="Rows, at most.")]
_TEAM = "/duty/teams/{team_id:uuid}"
_FUNCTION = "/duty/functions/{function_id:uuid}"


@get("/duty/teams", permission="duty.read")
async def list_teams(unit: Unit) -> list[Team]:
    """Teams with their members, by name."""
    return await teams.list_teams(unit)


@post("/duty/teams", permission="duty.manage", status=201)
async def create_team(unit: Unit, data: NewTeam) -> Team:
    """A new team."""
    return await teams.create_team(unit, data)


@get(_TEAM, permission="duty.read")
async def read_team(unit: Unit, team_id: UUID) -> Tagged[Team]:
    """One team."""
    team = await teams.read_team(unit, team_id)
    return Tagged(team, str(team.version), live=True)


@patch(_TEAM, permission="duty.manage")
async def change_team(
    unit: Unit, team_id: UUID, data: TeamChange, if_match: IfMatch = None
) -> Tagged[Team]:
    """Another name for a team."""
    team = await teams.change_team(unit, team_id, data, version(if_match))
    return Tagged(team, str(team.version))


@post(_TEAM + "/members", permission="duty.manage", status=201)
async def add_member(unit: Unit, team_id: UUID, data: NewMember) -> Member:
    """Someone more in a team: an account, or a name and a number."""
    return await teams.add_member(unit, team_id, data)


@patch("/duty/members/{member_id:uuid}", permission="duty.manage")
async def change_member(unit: Unit, member_id: UUID, data: MemberChange) -> Member:
    """Take a member out of the rotas or back in; another name or number."""
    return await teams.change_member(unit, member_id, data)


@post("/duty/members/{member_id:uuid}/absences", permission="duty.manage", status=201)
async def add_absence(unit: Unit, member_id: UUID, data: NewAbsence) -> Created:
    """A time in which a member cannot be called."""
    return await rota.add_absence(unit, member_id, data)


@delete("/duty/absences/{absence_id:uuid}", permission="duty.manage", status=204)
async def end_absence(unit: Unit, absence_id: UUID) -> None:
    """Back from now on."""
    await rota.end_absence(unit, absence_id)


@get("/duty/functions", permission="duty.read")
async def list_functions(unit: Unit) -> list[Function]:
    """What people are on call for, by name."""
    return await teams.list_functions(unit)


@post("/duty/functions", permission="duty.manage", status=201)
async def create_function(unit: Unit, data: NewFunction) -> Function:
    """Something more to be on call for."""
    return await teams.create_function(unit, data)


@get(_FUNCTION, permission="duty.read")
async def read_function(unit: Unit, function_id: UUID) -> Tagged[Function]:
    """What people are on call for."""
    function = await teams.read_function(unit, function_id)
    return Tagged(function, str(function.version))


@patch(_FUNCTION, permission="duty.manage")
async def change_function(
    unit: Unit, function_id: UUID, data: FunctionChange, if_match: IfMatch = None
) -> Tagged[Function]:
    """Change name, hours or how many people it takes."""
    function = await teams.change_function(unit, function_id, data, version(if_match))
    return Tagged(function, str(function.version))


@get("/duty/on-call", permission="duty.read", may_be_missing=True)
async def list_on_call(unit: Unit, function: str = "", at: At = None) -> list[OnCall]:
    """Who is on call for a function (by key or id), or for every one, now or at an instant."""
    return await rota.on_call(unit, OnCallAt(function[:64], at))


@get(_FUNCTION + "/rota", permission="duty.read")
async def read_rota(unit: Unit, function_id: UUID, from_: datetime, to: datetime) -> RotaShown:
    """Who is on call when, where nobody is or too many are, and the rules that say so."""
    return await rota.read_rota(unit, function_id, from_, to)


@get(_FUNCTION + "/rota.ics", permission="duty.read", media_type="text/calendar")
async def read_calendar(
    unit: Unit, function_id: UUID, from_: datetime, to: datetime, member: UUID | None = None
) -> Response[bytes]:
    """The same as a calendar (iCalendar), of everyone or of one member."""
    shown = await rota.read_rota(unit, function_id, from_, to)
    return Response(calendar(shown, member, clock.now()), media_type="text/calendar")


@post(_FUNCTION + "/patterns", permission="duty.manage", status=201)
async def add_pattern(unit: Unit, function_id: UUID, data: Pattern) -> Created:
    """On call every week or every so many, in turn, from now on."""
    return await rota.add_rule(unit, function_id, data)


@post(_FUNCTION + "/shifts", permission="duty.manage", status=201)
async def add_shift(unit: Unit, function_id: UUID, data: Shift) -> Created:
    """On call once."""
    return await rota.add_rule(unit, function_id, data)


@post(_FUNCTION + "/swaps", permission="duty.manage", status=201)
async def add_swap(unit: Unit, function_id: UUID, data: Swap) -> Created:
    """One member in the place of another for a time."""
    return await rota.add_rule(unit, function_id, data)


@delete("/duty/rules/{rule_id:uuid}", permission="duty.manage", status=204)
async def end_rule(unit: Unit, rule_id: UUID) -> None:
    """Let a pattern, shift or swap say nothing more from now on."""
    await rota.end_rule(unit, rule_id)


@get(_FUNCTION + "/hand-overs", permission="duty.read")
async def list_hand_overs(unit: Unit, function_id: UUID, limit: Most = 50) -> list[HandedOver]:
    """The last hand-overs, newest first."""
    return await rota.list_hand_overs(unit, function_id, limit)


@post("/duty/hand-overs", permission="duty.manage", status=201)
async def hand_over(unit: Unit, data: HandOver) -> HandedOver:
    """Write down who handed a duty to whom, and what they should know."""
    return await rota.hand_over(unit, data)


ROUTES = [
    list_teams,
    create_team,
    read_team,
    change_team,
    add_member,
    change_member,
    add_absence,
    end_absence,
    list_functions,
    create_function,
    read_function,
    change_function,
    list_on_call,
    read_rota,
    read_calendar,
    add_pattern,
    add_shift,
    add_swap,
    end_rule,
    list_hand_overs,
    hand_over,
]
