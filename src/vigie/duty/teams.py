"""The verbs of teams, their members, and what they are on call for."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal, search
from vigie.core.access import display_names
from vigie.core.calendar import Hours
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from vigie.core.ids import uuid7
from vigie.core.journal import Change, Personal
from vigie.core.search import Entry
from vigie.core.states import demand_version
from vigie.core.text import checked_name
from vigie.duty.days import days_of
from vigie.duty.model import (
    Function,
    FunctionChange,
    Member,
    MemberChange,
    NewFunction,
    NewMember,
    NewTeam,
    Team,
    TeamChange,
)

# ruff: noqa: S608 - tables and columns are ours
MOST = {"team": 500, "member": 200, "function": 50, "rule": 500, "absence": 200}
_TEAM = "select id, name, municipality, trade, version from duty.team"
_FUNCTION = "select id, team, key, name, people, hours, version from duty.function"
_MEMBER = "select id, team, account, name, phone, left_at from duty.member"


async def create_team(unit: Unit, new: NewTeam) -> Team:
    """A new team. Raises Forbidden when its place is outside the caller's scope."""
    name = checked_name("name", new.name)
    if not unit.scope.allows(new.municipality, new.trade):
        raise Forbidden(
            "place_out_of_scope",
            "This municipality and trade are outside what you may change.",
            {"municipality": new.municipality},
        )
    await demand_room(unit, "team", "true", {})
    team = Team(uuid7(), name, new.municipality, new.trade, [], 1)
    await unit.execute(
        text(
            "insert into duty.team (id, name, municipality, trade, created)"
            " values (:id, :name, :municipality, :trade, :now)"
        ),
        {"id": team.id, "name": name, "municipality": team.municipality, "trade": team.trade,
         "now": clock.now()},
    )  # fmt: skip
    await journal.record(
        unit, "duty.team_created", params={"team": name}, changes=[_change(team, None, team)]
    )
    await search.put_many(unit, [_entry(team)])
    return team


async def change_team(unit: Unit, team_id: UUID, change: TeamChange, version: int | None) -> Team:
    """Another name for a team. Raises NotFound, PreconditionFailed."""
    before = await read_team(unit, team_id, lock=True)
    demand_version(before.version, version)
    name = checked_name("name", change.name)
    await unit.execute(
        text("update duty.team set name = :name, version = version + 1 where id = :id"),
        {"id": team_id, "name": name},
    )
    after = msgspec.structs.replace(before, name=name, version=before.version + 1)
    await journal.record(
        unit, "duty.team_changed", params={"team": name}, changes=[_change(after, before, after)]
    )
    functions = await list_functions(unit, team_id)
    await search.put_many(unit, [_entry(after), *(_function_entry(after, f) for f in functions)])
    return after


async def list_teams(unit: Unit) -> list[Team]:
    """The teams in the caller's scope, by name."""
    teams = (await unit.execute(text(f"{_TEAM} order by name, id"))).all()
    by_team = await _members(unit, "team = any(:ids)", [row.id for row in teams])
    return [_team(row, by_team.get(row.id, [])) for row in teams]


async def read_team(unit: Unit, team_id: UUID, *, lock: bool = False) -> Team:
    """One team. Raises NotFound."""
    statement = f"{_TEAM} where id = :id" + (" for update" if lock else "")
    row = (await unit.execute(text(statement), {"id": team_id})).one_or_none()
    if row is None:
        raise not_found("duty.team", team_id)
    by_team = await _members(unit, "team = any(:ids)", [team_id])
    return _team(row, by_team.get(team_id, []))


async def add_member(unit: Unit, team_id: UUID, new: NewMember) -> Member:
    """Someone more in a team. Raises Invalid when it is neither an account nor a name."""
    team = await read_team(unit, team_id, lock=True)
    if (new.account is None) == (not new.name.strip()):
        raise _member_invalid("name", "a member is an account, or a name with a number")
    if new.account is not None and new.phone:
        raise _member_invalid("phone", "the number of an account is kept with its messages")
    name, shown = "", ""
    if new.account is None:
        name = shown = checked_name("name", new.name)
    else:
        names = await display_names(unit, [new.account], active=True)
        if new.account not in names:
            raise _member_invalid("account", "there is no such active account")
        shown = names[new.account]
        if any(m.account == new.account and m.active for m in team.members):
            raise Conflict("duty_member_twice", "This account is in the team already.")
    await demand_room(unit, "member", "team = :team and left_at is null", {"team": team_id})
    member = Member(uuid7(), new.account, shown, new.phone, True)
    await unit.execute(
        text(
            "insert into duty.member (id, team, account, name, phone, created)"
            " values (:id, :team, :account, :name, :phone, :now)"
        ),
        {"id": member.id, "team": team_id, "account": new.account, "name": name,
         "phone": new.phone, "now": clock.now()},
    )  # fmt: skip
    await _record_member(unit, "duty.member_added", team, member)
    return member


async def change_member(unit: Unit, member_id: UUID, change: MemberChange) -> Member:
    """Change or take a member out of the rotas. Raises NotFound, Invalid."""
    statement = text(f"{_MEMBER} where id = :id for update")
    row = (await unit.execute(statement, {"id": member_id})).one_or_none()
    if row is None:
        raise not_found("duty.member", member_id)
    values: dict[str, Any] = {
        name: value
        for name in ("name", "phone")
        if (value := getattr(change, name)) is not msgspec.UNSET
    }
    if row.account is not None and values.keys() & {"name", "phone"}:
        raise _member_invalid("name", "the name and number of an account are changed there")
    if "name" in values:
        values["name"] = checked_name("name", values["name"])
    team = await read_team(unit, row.team)
    if change.active is not msgspec.UNSET and change.active != (row.left_at is None):
        now = clock.now()
        values["left_at"] = None if change.active else now
        if change.active:
            # What the rota said meanwhile stays true: they were not there.
            await unit.execute(
                text("insert into duty.absence values (:id, :member, :starts, :ends)"),
                {"id": uuid7(), "member": member_id, "starts": row.left_at, "ends": now},
            )
    if values:
        assigned = ", ".join(f"{name} = :{name}" for name in values)
        await unit.execute(
            text(f"update duty.member set {assigned} where id = :id"), {**values, "id": member_id}
        )
    (member,) = [m for m in (await read_team(unit, row.team)).members if m.id == member_id]
    await _record_member(unit, "duty.member_changed", team, member)
    return member


async def create_function(unit: Unit, new: NewFunction) -> Function:
    """Something more to be on call for. Raises NotFound, Invalid for hours, Conflict."""
    team = await read_team(unit, new.team, lock=True)
    if new.hours:
        Hours(new.hours, await days_of(unit))
    name = checked_name("name", new.name)
    if any(f.key == new.key for f in await list_functions(unit, team.id)):
        raise Conflict(
            "duty_key_taken", f"The team has a function {new.key!r} already.", {"key": new.key}
        )
    await demand_room(unit, "function", "team = :team", {"team": team.id})
    function = Function(uuid7(), team.id, new.key, name, new.people, new.hours, 1)
    await unit.execute(
        text(
            "insert into duty.function (id, team, key, name, people, hours, created)"
            " values (:id, :team, :key, :name, :people, :hours, :now)"
        ),
        {**msgspec.structs.asdict(function), "now": clock.now()},
    )
    await journal.record(
        unit, "duty.function_created", params={"function": name},
        changes=[change_of(team, function, None, function)],
    )  # fmt: skip
    await search.put_many(unit, [_function_entry(team, function)])
    return function


async def change_function(
    unit: Unit, function_id: UUID, change: FunctionChange, version: int | None
) -> Function:
    """Change what people are on call for. Raises NotFound, PreconditionFailed, Invalid."""
    before = await read_function(unit, function_id, lock=True)
    demand_version(before.version, version)
    values: dict[str, Any] = {
        name: value
        for name in ("name", "people", "hours")
        if (value := getattr(change, name)) is not msgspec.UNSET
    }
    if values.get("hours"):
        Hours(values["hours"], await days_of(unit))
    if "name" in values:
        values["name"] = checked_name("name", values["name"])
    after = msgspec.structs.replace(before, **values, version=before.version + 1)
    await unit.execute(
        text(
            "update duty.function set name = :name, people = :people, hours = :hours,"
            " version = :version where id = :id"
        ),
        {
            "id": after.id, "name": after.name, "people": after.people, "hours": after.hours,
            "version": after.version,
        },
    )  # fmt: skip
    team = await read_team(unit, after.team)
    await journal.record(
        unit, "duty.function_changed", params={"function": after.name},
        changes=[change_of(team, after, before, after)],
    )  # fmt: skip
    await search.put_many(unit, [_function_entry(team, after)])
    return after


async def list_functions(unit: Unit, team_id: UUID | None = None) -> list[Function]:
    """What people are on call for in the caller's scope, by name."""
    where = "" if team_id is None else " where team = :team"
    rows = await unit.execute(text(f"{_FUNCTION}{where} order by name, id"), {"team": team_id})
    return [Function(*row) for row in rows]


async def read_function(unit: Unit, function_id: UUID, *, lock: bool = False) -> Function:
    """One function. Raises NotFound."""
    statement = f"{_FUNCTION} where id = :id" + (" for update" if lock else "")
    row = (await unit.execute(text(statement), {"id": function_id})).one_or_none()
    if row is None:
        raise not_found("duty.function", function_id)
    return Function(*row)


async def members(unit: Unit, ids: Collection[UUID]) -> dict[UUID, Member]:
    """Members by id, with the names of their accounts."""
    found = await _members(unit, "id = any(:ids)", list(ids))
    return {member.id: member for group in found.values() for member in group}


async def demand_room(unit: Unit, what: str, where: str, values: dict[str, Any]) -> None:
    """Raises TooMany when there are as many as there may be."""
    count = await unit.execute(text(f"select count(*) from duty.{what} where {where}"), values)
    if count.scalar_one() >= MOST[what]:
        raise TooMany(
            "duty_full",
            f"There are {MOST[what]} already: remove some first.",
            {"what": what, "most": MOST[what]},
        )


def change_of(team: Team, function: Function, before: Any, after: Any) -> Change:
    """What the journal keeps of a change to a function or its rota."""
    return Change("duty.function", str(function.id), before, after, place(team))


def place(team: Team) -> str:
    """The scope key of a team."""
    return f"{team.municipality}/{team.trade}"


def not_found(type_: str, id_: UUID | str) -> NotFound:
    """There is none, or not for this person."""
    return NotFound(
        "object_not_found", f"There is no {type_} {id_}.", {"type": type_, "id": str(id_)}
    )


async def _members(unit: Unit, where: str, ids: list[UUID]) -> dict[UUID, list[Member]]:
    if not ids:
        return {}
    statement = text(f"{_MEMBER} where {where} order by created, id")
    rows = (await unit.execute(statement, {"ids": ids})).all()
    names = await display_names(unit, {row.account for row in rows if row.account is not None})
    found: dict[UUID, list[Member]] = {}
    for row in rows:
        name = row.name if row.account is None else names.get(row.account, "")
        found.setdefault(row.team, []).append(
            Member(row.id, row.account, name, row.phone, row.left_at is None)
        )
    return found


async def _record_member(unit: Unit, act: str, team: Team, member: Member) -> None:
    subject = f"user:{member.account}" if member.account else f"duty:{member.id}"
    shown = {"member": str(member.id), "active": member.active}
    await journal.record(
        unit,
        act,
        params={"team": team.name},
        personal={"member": Personal(member.name, subject)} if member.name else None,
        changes=[Change("duty.team", str(team.id), None, shown, place(team))],
    )


def _team(row: Any, members: list[Member]) -> Team:
    return Team(row.id, row.name, row.municipality, row.trade, members, row.version)


def _change(team: Team, before: Team | None, after: Team | None) -> Change:
    def shown(one: Team | None) -> Any:
        return one and {"name": one.name, "municipality": one.municipality, "trade": one.trade}

    return Change("duty.team", str(team.id), shown(before), shown(after), place(team))


def _entry(team: Team) -> Entry:
    return Entry(
        type="duty.team", id=str(team.id), title=team.name, municipality=team.municipality,
        trade=team.trade,
    )  # fmt: skip


def _function_entry(team: Team, function: Function) -> Entry:
    return Entry(
        type="duty.function", id=str(function.id), title=function.name, subtitle=team.name,
        number=function.key, words=(team.name,), municipality=team.municipality, trade=team.trade,
    )  # fmt: skip


def _member_invalid(field: str, message: str) -> Invalid:
    return Invalid(
        "duty_member_invalid",
        f"This cannot be a member: {message}.",
        {"field": field},
        errors=[{"field": field, "code": "duty_member_invalid", "message": message}],
    )
