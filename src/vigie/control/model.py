"""What control speaks of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.control.rules import State
from vigie.twin.kinds import Demand

MOST_TARGETS = 250_000
Reason = Annotated[
    str,
    Meta(min_length=1, max_length=500, description="Why: kept in the journal."),
]


Param = float | bool | Annotated[str, Meta(max_length=4_000)]


class RequestCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What someone wants of some equipment, chosen in one of three ways."""

    verb: Annotated[str, Meta(max_length=64, description="As the kind declares it.")]
    params: Annotated[dict[str, Param], Meta(max_length=16)]
    reason: Reason
    assets: Annotated[list[int], Meta(min_length=1, max_length=MOST_TARGETS)] | None = None
    filter: Annotated[str, Meta(max_length=1000)] | None = None
    bbox: Annotated[
        tuple[float, float, float, float] | None, Meta(description="[west, south, east, north]")
    ] = None
    expires_in_s: Annotated[float, Meta(ge=5, le=86_400)] = 120.0


class PreviewCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What someone thinks of asking: as a command, without a reason."""

    verb: Annotated[str, Meta(max_length=64, description="As the kind declares it.")]
    params: Annotated[dict[str, Param], Meta(max_length=16)]
    assets: Annotated[list[int], Meta(min_length=1, max_length=MOST_TARGETS)] | None = None
    filter: Annotated[str, Meta(max_length=1000)] | None = None
    bbox: Annotated[
        tuple[float, float, float, float] | None, Meta(description="[west, south, east, north]")
    ] = None


class CommandRefusal(msgspec.Struct, frozen=True):
    """Equipment that an interlock would refuse to command, and why: `reason` says it in a word;
    `assets` are the first of them."""

    code: str
    reason: str
    count: int
    assets: list[int]


class CommandPreview(msgspec.Struct, frozen=True):
    """What a command would do: to how many, by kind; who would be refused, and why; what it demands
    of who gives it."""

    total: int
    by_kind: dict[str, int]
    refused: int
    refusals: list[CommandRefusal]
    demands: list[Demand]
    urgent: bool


class CancelCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a command is taken back."""

    reason: Reason


class Requester(msgspec.Struct, frozen=True):
    """Who asked; the name is gone once erased."""

    id: UUID | None
    name: str | None


class Command(msgspec.Struct, frozen=True):
    """A command and how far it came: `total` and `counts` are of the targets in your scope,
    `ended_at` of the whole act; `approval` is the request for a second person, where it needs
    one."""

    id: UUID
    verb: str
    params: dict[str, Any]
    requested_by: Requester
    requested_at: datetime
    expires_at: datetime
    reason: str | None
    total: int
    counts: dict[str, int]
    ended_at: datetime | None
    entry: UUID
    urgent: bool = False
    approval: UUID | None = None


class TargetError(msgspec.Struct, frozen=True):
    """Why a target was not reached."""

    code: str
    params: dict[str, Any]


class TargetAsset(msgspec.Struct, frozen=True):
    """The equipment of a target."""

    id: int
    name: str
    token: str


class TargetState(msgspec.Struct, frozen=True):
    """How far a command came at one piece of equipment; since when its readings show what was
    wanted (`shown_since`), also where it never answered; whether the same command may help now that
    it ended otherwise (`retryable`)."""

    asset: TargetAsset
    state: State
    attempts: int
    sent_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    error: TargetError | None
    late: bool
    late_evidence: dict[str, Any] | None
    shown_since: datetime | None
    retryable: bool = False


class Ack(Protocol):
    """What a device answered to a command (gateways.ingest.DeviceAck is one)."""

    @property
    def command(self) -> UUID: ...
    @property
    def asset(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def status(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def detail(self) -> str | None: ...


class Evidence(Protocol):
    """What a stored reading says (twin.telemetry.Evidence is one)."""

    @property
    def asset(self) -> int: ...
    @property
    def values(self) -> Mapping[str, float]: ...
    @property
    def at(self) -> datetime: ...
