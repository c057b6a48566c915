"""Teams, functions and rotas as they are sent and answered."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.duty.rules import Fault, Pattern, Shift, Swap

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Key = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$", examples=["lighting-standby"])]
People = Annotated[int, Meta(ge=1, le=50)]
OpeningHours = Annotated[str, Meta(max_length=500, description="As OpenStreetMap; empty: always.")]
Phone = Annotated[str, Meta(max_length=40, pattern=r"^[+0-9][0-9 ().-]*$|^$")]


class NewTeam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A team; its municipality (INSEE code, empty for none) and trade say who sees it."""

    name: Name
    municipality: Annotated[str, Meta(pattern=r"^(\d[\dAB]\d{3})?$")] = ""
    trade: Annotated[str, Meta(pattern=r"^[a-z_]{0,40}$")] = ""


class TeamChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is changed of a team."""

    name: Name


class NewMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone of a team: an account, or else a name and a number."""

    account: UUID | None = None
    name: Annotated[str, Meta(max_length=120)] = ""
    phone: Phone = ""


class MemberChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is changed of a member; who is not active is in no rota from now on."""

    active: bool | msgspec.UnsetType = msgspec.UNSET
    name: Name | msgspec.UnsetType = msgspec.UNSET
    phone: Phone | msgspec.UnsetType = msgspec.UNSET


class Member(msgspec.Struct, frozen=True):
    """Someone of a team; the name is empty once erased."""

    id: UUID
    account: UUID | None
    name: str
    phone: str
    active: bool


class Team(msgspec.Struct, frozen=True):
    """A team with its members."""

    id: UUID
    name: str
    municipality: str
    trade: str
    members: list[Member]
    version: int


class NewFunction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people are on call for; `people` at once, in these hours."""

    team: UUID
    key: Key
    name: Name
    people: People = 1
    hours: OpeningHours = ""


class FunctionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is changed of a function; what is not said stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    people: People | msgspec.UnsetType = msgspec.UNSET
    hours: OpeningHours | msgspec.UnsetType = msgspec.UNSET


class Function(msgspec.Struct, frozen=True):
    """What people are on call for."""

    id: UUID
    team: UUID
    key: str
    name: str
    people: int
    hours: str
    version: int


class RuleShown(msgspec.Struct, frozen=True):
    """One rule of a rota; one of the three says which."""

    id: UUID
    since: datetime
    ended: datetime | None
    pattern: Pattern | None = None
    shift: Shift | None = None
    swap: Swap | None = None


class NewAbsence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time in which a member cannot be called. Why is nobody's business here."""

    start: datetime
    end: datetime


class Created(msgspec.Struct, frozen=True):
    """What was created."""

    id: UUID


class OnCallAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function by its key or id (empty: all), and an instant (none: now)."""

    function: Annotated[str, Meta(max_length=64)] = ""
    at: datetime | None = None


class OnCall(msgspec.Struct, frozen=True):
    """Who is on call for a function at an instant, and whether they are enough."""

    function: Function
    at: datetime
    people: list[Member]
    enough: bool


class SpanShown(msgspec.Struct, frozen=True):
    """A time in which the same members are on call."""

    start: datetime
    end: datetime
    members: list[UUID]


class RotaShown(msgspec.Struct, frozen=True):
    """Who is on call when, and what is wrong with it."""

    function: Function
    members: list[Member]
    spans: list[SpanShown]
    faults: list[Fault]
    rules: list[RuleShown]
    absences: list["AbsenceShown"]


class AbsenceShown(msgspec.Struct, frozen=True):
    """A time in which a member cannot be called."""

    id: UUID
    member: UUID
    start: datetime
    end: datetime


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hands a duty to whom, and what they should know."""

    function: UUID
    giver: UUID
    taker: UUID
    note: Annotated[str, Meta(max_length=4000)] = ""


class HandedOver(msgspec.Struct, frozen=True):
    """A hand-over as it was written down, and who is on call since."""

    id: UUID
    function: Function
    at: datetime
    giver: Member
    taker: Member
    note: str
