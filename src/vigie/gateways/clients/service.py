"""Clients and their credentials: issue, rotate, revoke, bind, and how they are.

A secret is random, shown once, and kept as its digest. Every change is told on `gateways.changed`;
the gateways processes then disconnect who may not stay.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text

from vigie.core import ids, journal
from vigie.core.bus import Bus
from vigie.core.database import Unit
from vigie.core.errors import Conflict, NotFound
from vigie.core.journal import Change
from vigie.core.text import checked_name
from vigie.gateways.clients.book import CHANGED, digest
from vigie.gateways.clients.model import BROKER, ClientKind, Clock, Issued, Secret
from vigie.gateways.clients.read import unknown

_ISSUE = text(
    """
    insert into gateways.client
     (token, name, kind, protocol, stream, shard, secret_sha256, municipality, trade)
    select :token, :name, :kind, :protocol, :stream, s.n, :digest, :municipality, :trade
    from generate_series(0, cast(:shards as int) - 1) as s(n)
    order by (
     select count(*) from gateways.client where stream = :stream and shard = s.n
    ), s.n
    limit 1
    returning id, shard
    """
)


async def issue_client(
    unit: Unit,
    bus: Bus,
    *,
    name: str,
    kind: ClientKind,
    shards: int,
    protocol: str = "mqtt",
    stream: int = BROKER,
    trade: str = "lighting",
    municipality: str = "",
    assets: Sequence[int] = (),
) -> Issued:
    """A new client with its secret; it carries `assets` from now on.

    Its stream is fixed for ever, and its shard: the one with the fewest clients.
    """
    name = checked_name("name", name)
    token, secret = ids.token(length=12), ids.secret()
    row = (
        await unit.execute(
            _ISSUE,
            {
                "token": token,
                "name": name,
                "kind": kind,
                "protocol": protocol,
                "stream": stream,
                "digest": digest(secret),
                "municipality": municipality,
                "trade": trade,
                "shards": shards,
            },
        )
    ).one()
    if assets:
        await _bind(unit, row.id, assets)
    await journal.record(
        unit,
        "gateways.client_issued",
        params={"client": token, "kind": kind, "devices": len(assets)},
        changes=[
            Change(
                "gateway",
                token,
                None,
                {
                    "name": name,
                    "kind": kind,
                    "protocol": protocol,
                    "shard": row.shard,
                    "assets": list(assets),
                },
                scope=f"{municipality}/{trade}",
            )
        ],
    )
    tell(unit, bus, [token])
    return Issued(token, secret, row.shard, name)


async def rotate_secret(unit: Unit, bus: Bus, token: str, reason: str | None = None) -> Secret:
    """A new secret for a client; connections made with the old one are cut.

    Raises NotFound, or Conflict for a revoked client.
    """
    scope = await locked(unit, token)
    secret = ids.secret()
    await unit.execute(
        text(
            "update gateways.client set secret_sha256 = :digest, rotated = now()"
            " where token = :token"
        ),
        {"digest": digest(secret), "token": token},
    )
    await journal.record(
        unit, "gateways.secret_rotated", params={"client": token}, reason=reason, scopes=[scope]
    )
    tell(unit, bus, [token])
    return Secret(token, secret)


async def revoke(unit: Unit, bus: Bus, token: str, reason: str | None = None) -> None:
    """Lock a client out, at once and for ever; its devices need another one.

    Raises NotFound, or Conflict when it was revoked before.
    """
    scope = await locked(unit, token)
    await unit.execute(
        text("update gateways.client set revoked = now() where token = :token"), {"token": token}
    )
    await journal.record(
        unit,
        "gateways.client_revoked",
        params={"client": token},
        changes=[Change("gateway", token, {"revoked": False}, {"revoked": True}, scope=scope)],
        reason=reason,
    )
    tell(unit, bus, [token])


async def set_clock(
    unit: Unit, bus: Bus, token: str, clock: Clock, reason: str | None = None
) -> None:
    """Whose time dates this client's messages from now on: its devices', or that of receipt.
    Raises NotFound, Conflict for a revoked client."""
    scope = await locked(unit, token)
    before = (
        await unit.execute(
            text(
                """
                update gateways.client c set clock = :clock from gateways.client old
                where c.token = :token and old.id = c.id
                returning old.clock
                """
            ),
            {"clock": clock, "token": token},
        )
    ).scalar_one()
    await journal.record(
        unit,
        "gateways.clock_set",
        params={"client": token},
        changes=[Change("gateway", token, {"clock": before}, {"clock": clock}, scope=scope)],
        reason=reason,
    )
    tell(unit, bus, [token])


async def bind(
    unit: Unit, bus: Bus, token: str, assets: Sequence[int], refs: Mapping[int, str] | None = None
) -> None:
    """These assets speak through this client from now on; `refs` are the client's names for some.

    Raises NotFound for an unknown client or asset, Conflict for a revoked client or a name that
    another of its devices has.
    """
    scope = await locked(unit, token)
    client = (
        await unit.execute(
            text("select id from gateways.client where token = :token"), {"token": token}
        )
    ).scalar_one()
    await _bind(unit, client, assets, refs or {})
    await journal.record(
        unit,
        "gateways.devices_bound",
        params={"client": token, "devices": len(assets)},
        changes=[Change("gateway", token, None, {"assets": list(assets)}, scope=scope)],
    )
    tell(unit, bus, [token])


class Carrier(msgspec.Struct, frozen=True):
    """The client through which an asset speaks."""

    token: str
    online: bool
    last_seen: datetime | None
    protocol: str
    # What the client calls the asset, when not by our token.
    ref: str | None


async def carriers(unit: Unit, assets: Sequence[int]) -> dict[int, Carrier]:
    """The clients of some assets, by asset; absent where there is none, or a revoked one, which is
    locked out for ever."""
    rows = await unit.execute(
        text(
            "select d.asset, d.ref, c.token, c.protocol, coalesce(p.online, false) as online,"
            " p.last_seen"
            " from gateways.device d join gateways.client c on c.id = d.client"
            " left join gateways.presence p on p.client = c.id"
            " where d.asset = any(:assets) and c.revoked is null"
        ),
        {"assets": list(assets)},
    )
    return {
        row.asset: Carrier(row.token, row.online, row.last_seen, row.protocol, row.ref)
        for row in rows
    }


def tell(unit: Unit, bus: Bus, tokens: Sequence[str]) -> None:
    """Once committed, the login check reads these clients again."""
    payload = msgspec.json.encode(list(tokens) if len(tokens) <= 1000 else [])
    unit.after_commit(lambda: bus.publish(CHANGED, payload))


async def locked(unit: Unit, token: str) -> str:
    """Lock the client's row; its scope key. Raises NotFound, Conflict for a revoked client."""
    row = (
        await unit.execute(
            text(
                "select municipality, trade, revoked from gateways.client"
                " where token = :token for update"
            ),
            {"token": token},
        )
    ).one_or_none()
    if row is None:
        raise unknown(token)
    if row.revoked is not None:
        raise Conflict(
            "client_revoked",
            "This client was revoked: issue a new one for its devices.",
            {"client": token},
        )
    return f"{row.municipality}/{row.trade}"


async def _bind(
    unit: Unit, client: int, assets: Sequence[int], refs: Mapping[int, str] | None = None
) -> None:
    refs = refs or {}
    taken = await unit.execute(
        text(
            "select ref from gateways.device where client = :client and ref = any(:refs)"
            " and asset <> all(:assets) limit 1"
        ),
        {"client": client, "refs": list(refs.values()), "assets": list(assets)},
    )
    if (ref := taken.scalar_one_or_none()) is not None or len(set(refs.values())) < len(refs):
        raise Conflict(
            "ref_taken", "Another device of this client has that name.", {"ref": ref or ""}
        )
    found = await unit.execute(
        text(
            """
            insert into gateways.device (asset, client, ref)
            select a.id, :client, r.ref
            from unnest(cast(:assets as int[]), cast(:refs as text[])) as r(asset, ref)
            join twin.asset a on a.id = r.asset
            order by a.id
            on conflict (asset) do update set client = excluded.client, ref = excluded.ref
            returning asset
            """
        ),
        {
            "client": client,
            "assets": list(assets),
            "refs": [refs.get(asset) for asset in assets],
        },
    )
    missing = set(assets) - {row.asset for row in found}
    if missing:
        raise NotFound("asset_unknown", "An asset to bind does not exist.", {"asset": min(missing)})
