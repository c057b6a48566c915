"""Routes: clients, what became of their messages, their secrets."""

from typing import Annotated

import msgspec
from msgspec import Meta

from vigie.core.database import Unit
from vigie.core.runtime import Runtime
from vigie.core.web import Limit, Page, get, post
from vigie.gateways.clients import quarantine, read, service
from vigie.gateways.clients.model import Gateway, Quarantined, Secret, Tally


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a person did it, for the journal."""

    reason: Annotated[str, Meta(max_length=500, description="Kept in the journal.")] | None = None


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
    `kind:`, `municipality:`, `trade:`, `online:yes|no`, `revoked:yes|no`, `last_seen:` and words of
    the name; `sort` takes `name`, `kind`, `municipality`, `online`, `last_seen`, `messages`,
    `quarantined` and `refused`."""
    return await read.read_gateways(
        unit, filter_=filter_, sort=sort, cursor=cursor, limit=limit, online=online
    )


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
    read_gateway,
    list_refusals,
    rotate,
    revoke,
]
