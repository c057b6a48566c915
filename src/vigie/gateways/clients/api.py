"""Routes: clients, what became of their messages, their secrets."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request
from msgspec import Meta

from vigie.core.database import Unit
from vigie.core.errors import Forbidden
from vigie.core.runtime import Runtime
from vigie.core.web import PUBLIC, Limit, Page, client_of, get, post
from vigie.gateways.clients import calibration, claiming, quarantine, read, service
from vigie.gateways.clients.adapters import Maturity, adapters
from vigie.gateways.clients.calibration import Calibration
from vigie.gateways.clients.claiming import Claim, ClaimCode, Collected, Ticket
from vigie.gateways.clients.model import Clock, Gateway, Quarantined, Secret, Tally
from vigie.twin import demand


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a person did it, for the journal."""

    reason: Annotated[str, Meta(max_length=500, description="Kept in the journal.")] | None = None


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is printed on a box; dashes and case do not matter."""

    code: Annotated[str, Meta(max_length=64)]


class TicketHeld(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket that a claim was answered with."""

    ticket: Annotated[str, Meta(max_length=64)]


class ClockSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose time counts."""

    clock: Clock
    reason: Annotated[str, Meta(max_length=500, description="Kept in the journal.")] | None = None


class BoundDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of equipment, and what its gateway calls it."""

    asset: int
    ref: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class NewCalibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a metric is corrected from when on."""

    metric: Annotated[str, Meta(max_length=64)]
    factor: float
    offset: float
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    valid_from: Annotated[datetime, Meta(tz=True)] | None = None


_TRIES = claiming.Tries()


@get("/quarantine", permission="quarantine.read")
async def list_quarantine(
    unit: Unit,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
    source: str | None = None,
    code: str | None = None,
) -> Page[Quarantined]:
    """Messages of devices that were refused, newest first, with the reason. `filter` knows
    `source:`, `code:`, `asset:`, `size:` and `received:`; `sort` takes `id`, `received`, `source`,
    `code` and `size`."""
    return await quarantine.read_quarantine(
        unit, filter_=filter_, sort=sort, cursor=cursor, limit=limit, source=source, code=code
    )


@get("/gateways", permission="gateways.read")
async def list_gateways(
    unit: Unit,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
    online: bool | None = None,
) -> Page[Gateway]:
    """Gateways and single devices with their presence and counters, by name. `filter` knows
    `kind:`, `protocol:`, `clock:`, `skew:`, `municipality:`, `trade:`, `online:yes|no`,
    `revoked:yes|no`, `last_seen:` and words of the name; `sort` takes `name`, `kind`,
    `municipality`, `online`, `last_seen`, `messages`, `quarantined` and `refused`."""
    return await read.read_gateways(
        unit, filter_=filter_, sort=sort, cursor=cursor, limit=limit, online=online
    )


class AdapterState(msgspec.Struct, frozen=True):
    """A protocol that this installation speaks, and how far it is proven."""

    name: str
    title: str
    maturity: Maturity
    exemptions: tuple[str, ...]
    takes_orders: bool
    services: tuple[str, ...]
    clients: int
    online: int


@get("/gateways/adapters", permission="gateways.read")
async def list_adapters(unit: Unit, runtime: Runtime) -> list[AdapterState]:
    """The protocols, by name: `experimental` (written from the description), `tested` (against
    messages of real devices), `certified` (in service, or conformance proven); what is missing;
    and how many clients of the caller's scope speak each."""
    counts = await read.count_by_protocol(unit)
    return [
        AdapterState(
            adapter.name, adapter.title, adapter.maturity, adapter.exemptions,
            bool(adapter.outlet), tuple(adapter.services), *counts.get(adapter.name, (0, 0)),
        )
        for adapter in sorted(adapters(runtime).values(), key=lambda a: a.name)
    ]  # fmt: skip


@get("/gateways/claims", permission="gateways.manage")
async def list_claims(unit: Unit) -> list[Claim]:
    """Claim codes and who asked with them, newest first."""
    return await claiming.read_claims(unit)


@post("/gateways/claims", permission=PUBLIC)
async def claim(request: Request[Any, Any, Any], runtime: Runtime, data: Code) -> Ticket:
    """A box asks for its client's secret with the code printed on it; works once. It comes back
    with the ticket when a person has approved."""
    address = client_of(request)
    _TRIES.demand(address)
    try:
        async with runtime.database.unit() as unit:
            return await claiming.claim(unit, data.code, address)
    except Forbidden:
        _TRIES.wrong(address)
        raise


@post("/gateways/claims/collect", permission=PUBLIC)
async def collect(request: Request[Any, Any, Any], runtime: Runtime, data: TicketHeld) -> Collected:
    """What became of a claim: `waiting`, `refused`, or `given` with the secret, this once."""
    address = client_of(request)
    _TRIES.demand(address)
    try:
        async with runtime.database.unit() as unit:
            return await claiming.collect(unit, runtime.bus, data.ticket)
    except Forbidden:
        _TRIES.wrong(address)
        raise


@post("/gateways/claims/{claim_id:uuid}/approve", permission="gateways.manage")
async def approve_claim(unit: Unit, claim_id: UUID, data: Why) -> Claim:
    """Let who asked have the secret: look at the address, and at the box."""
    return await claiming.decide(unit, claim_id, approved=True, reason=data.reason)


@post("/gateways/claims/{claim_id:uuid}/refuse", permission="gateways.manage")
async def refuse_claim(unit: Unit, claim_id: UUID, data: Why) -> Claim:
    """Give who asked nothing; another code can be issued."""
    return await claiming.decide(unit, claim_id, approved=False, reason=data.reason)


@post("/gateways/{token:str}/code", permission="gateways.manage")
async def issue_code(unit: Unit, token: str, data: Why) -> ClaimCode:
    """A code to print on a box, shown this once; it works for seven days."""
    return await claiming.issue_code(unit, token, data.reason)


@post("/gateways/{token:str}/clock", permission="gateways.manage")
async def set_clock(unit: Unit, runtime: Runtime, token: str, data: ClockSource) -> Gateway:
    """Whose time dates a gateway's messages: its devices' (`device`), or that of receipt
    (`server`) for one that has no usable clock; the distances within a message stay."""
    await service.set_clock(unit, runtime.bus, token, data.clock, data.reason)
    return await read.read_gateway(unit, token)


@post("/gateways/{token:str}/devices", permission="gateways.manage")
async def bind_device(unit: Unit, runtime: Runtime, token: str, data: BoundDevice) -> Gateway:
    """A piece of equipment speaks through this gateway from now on; `ref` is the gateway's own name
    for it (an IMEI, a call sign), when that is not its token."""
    await demand(unit, data.asset)
    refs = {data.asset: data.ref} if data.ref else {}
    await service.bind(unit, runtime.bus, token, [data.asset], refs)
    return await read.read_gateway(unit, token)


@get("/assets/{asset_id:int}/calibrations", permission="gateways.read")
async def list_calibrations(unit: Unit, asset_id: int) -> list[Calibration]:
    """What the values of a piece of equipment are corrected by, newest first."""
    return await calibration.read_calibrations(unit, asset_id)


@post("/assets/{asset_id:int}/calibrations", permission="gateways.manage", status=201)
async def calibrate(
    unit: Unit, runtime: Runtime, asset_id: int, data: NewCalibration
) -> Calibration:
    """Correct a metric from a moment on: value = factor × raw + offset. It begins six minutes from
    now at the earliest, and is never changed, only followed by another."""
    return await calibration.calibrate(
        unit, runtime.bus, asset_id, data.metric, factor=data.factor, offset=data.offset,
        reason=data.reason, valid_from=data.valid_from,
    )  # fmt: skip


@get("/gateways/{token:str}", permission="gateways.read")
async def read_gateway(unit: Unit, token: str) -> Gateway:
    """One gateway."""
    return await read.read_gateway(unit, token)


@get("/gateways/{token:str}/refusals", permission="gateways.read")
async def list_refusals(unit: Unit, token: str) -> list[Tally]:
    """What the broker or the platform refused of one gateway, counted by hour and reason."""
    return await read.read_tally(unit, token)


@post("/gateways/{token:str}/rotate", permission="gateways.manage")
async def rotate(unit: Unit, runtime: Runtime, token: str, data: Why) -> Secret:
    """A new secret, shown this once; connections made with the old one are cut."""
    return await service.rotate_secret(unit, runtime.bus, token, data.reason)


@post("/gateways/{token:str}/revoke", permission="gateways.manage")
async def revoke(unit: Unit, runtime: Runtime, token: str, data: Why) -> Gateway:
    """Lock a gateway out, at once and for ever."""
    await service.revoke(unit, runtime.bus, token, data.reason)
    return await read.read_gateway(unit, token)


ROUTES = [
    list_quarantine,
    *quarantine.QUARANTINE.downloads("/quarantine", permission="quarantine.read"),
    list_gateways,
    *read.GATEWAYS.downloads("/gateways", permission="gateways.read"),
    list_adapters,
    list_claims,
    claim,
    collect,
    approve_claim,
    refuse_claim,
    issue_code,
    set_clock,
    bind_device,
    list_calibrations,
    calibrate,
    read_gateway,
    list_refusals,
    rotate,
    revoke,
]
