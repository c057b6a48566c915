"""Provisioning: site gateways for equipment that has none (or a revoked one), and the file an
installer receives.

A gateway serves lights of one municipality, a few hundred that are close to each other: whole
cabinets, taken along a Hilbert curve. New lights go to gateways nearby that have room, before new
gateways are issued; no device that has one is moved. Secrets are known only when issued, so those
of an existing file are kept as long as they still fit; for the others the choice is to rotate or to
stop.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from vigie.core import ids, journal
from vigie.core.bus import Bus
from vigie.core.database import Unit
from vigie.core.engines import write_secret
from vigie.core.errors import Conflict, Invalid
from vigie.core.journal import Change
from vigie.gateways.clients.book import digest
from vigie.gateways.clients.grouping import Filled, Group, Place, Site, fill, group
from vigie.gateways.clients.service import tell

DEFAULT_POWER = 60.0
# Lights on one cabinet belong together; so do a cabinet and its lights.
_CABINET = (
    "case when exists (select from twin.asset c where c.parent = a.id) then a.id"
    " else coalesce(a.parent, -a.id) end as cabinet"
)
# In place of a revoked client: nothing is chosen that has a live one.
_BIND = text(
    "insert into gateways.device (asset, client)"
    " select * from unnest(cast(:assets as int[]), cast(:clients as int[]))"
    " on conflict (asset) do update set client = excluded.client"
)


class Device(msgspec.Struct, frozen=True):
    """A device as an installer needs it."""

    device: str
    kind: str
    source_id: str
    lon: float
    lat: float
    power: float


class Credentials(msgspec.Struct, frozen=True):
    """A client, its secret and its devices."""

    client: str
    secret: str
    shard: int
    name: str
    devices: list[Device]


class Provisioned(msgspec.Struct, frozen=True):
    """What provisioning did."""

    gateways: int
    devices: int
    issued: int
    bound: int
    rotated: int


class _Old(msgspec.Struct, frozen=True):
    client: str
    secret: str


class _OldFile(msgspec.Struct, frozen=True):
    gateways: list[_Old]


async def provision(
    unit: Unit,
    bus: Bus,
    out: Path,
    *,
    protocol: str,
    address: Any,
    shards: int,
    per_gateway: int = 300,
    rotate: bool = False,
) -> Provisioned:
    """Give every active device without a client one, and write the file of all of them: those of
    one protocol of the broker's stream, and the `address` where they connect.

    The file is written before the transaction commits: a failure leaves no client whose secret
    nobody knows. Raises Conflict when secrets of earlier clients are unknown and `rotate` is false.
    """
    secrets = _known_secrets(out)
    await unit.execute(text("select pg_advisory_xact_lock(7710431)"))
    issued, bound = await _issue(unit, protocol, shards, per_gateway, secrets)
    sites = await _clients(unit, protocol)
    lost = [row for row in sites if not _fits(row, secrets)]
    if lost and not rotate:
        raise Conflict(
            "secrets_unknown",
            f"The secrets of {len(lost)} gateways are not in {out}: name the file that holds them,"
            " or rotate them (their devices must then be given the new ones).",
            {"gateways": len(lost)},
        )
    await _rotate(unit, lost, secrets)
    devices = await _devices(unit)
    # Mode 0600: it holds secrets.
    file = {
        protocol: address,
        "gateways": [
            Credentials(row.token, secrets[row.token], row.shard, row.name, devices.get(row.id, []))
            for row in sites
        ],
    }
    try:
        write_secret(out, msgspec.json.encode(file))
    except OSError as error:
        raise Invalid("file_not_written", f"{out} cannot be written: {error.strerror}.") from error
    if issued or bound or lost:
        tell(unit, bus, [row.token for row in sites])
    return Provisioned(len(sites), sum(map(len, devices.values())), issued, bound, len(lost))


def _known_secrets(path: Path) -> dict[str, str]:
    try:
        old = msgspec.json.decode(path.read_bytes(), type=_OldFile)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Invalid("file_not_read", f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise Invalid(
            "file_not_provisioning",
            f"{path} exists and is not a provisioning file: name another one.",
        ) from error
    return {site.client: site.secret for site in old.gateways}


def _fits(row: Any, secrets: dict[str, str]) -> bool:
    secret = secrets.get(row.token)
    return secret is not None and digest(secret) == bytes(row.secret_sha256)


async def _issue(
    unit: Unit, protocol: str, shards: int, per_gateway: int, secrets: dict[str, str]
) -> tuple[int, int]:
    """Clients for devices that have none; how many of each. Their secrets go into `secrets`."""
    places = await _unbound(unit)
    filled = Filled({}, places)
    if places and per_gateway > 1:
        filled = fill(places, await _sites(unit, protocol), per_gateway)
        await _fill_up(unit, filled.taken)
    added = sum(map(len, filled.taken.values()))
    if not filled.left:
        return 0, added
    groups = group(filled.left, per_gateway)
    numbers = Counter[str]()
    for row in await unit.execute(
        text("select municipality, count(*) as n from gateways.client group by municipality")
    ):
        numbers[row.municipality] = row.n
    load = Counter[int](dict.fromkeys(range(shards), 0))
    for row in await unit.execute(
        text(
            "select c.shard, count(*) as n from gateways.device d"
            " join gateways.client c on c.id = d.client group by c.shard"
        )
    ):
        load[row.shard] += row.n
    made: list[dict[str, Any]] = []
    for members in groups:
        numbers[members.municipality] += 1
        shard = min(range(shards), key=lambda n: load[n])
        load[shard] += len(members.assets)
        token, secret = ids.token(length=12), ids.secret()
        secrets[token] = secret
        made.append(
            {
                "token": token,
                "name": f"{members.municipality or members.trade}-"
                f"{numbers[members.municipality]:04d}",
                "shard": shard,
                "digest": digest(secret),
            }
        )
    kind = "device" if per_gateway == 1 else "site"
    await _store(unit, protocol, kind, groups, made)
    bound = sum(len(members.assets) for members in groups)
    await journal.record(
        unit,
        "gateways.provisioned",
        params={"gateways": len(groups), "devices": bound},
        changes=[
            Change(
                "gateway",
                client["token"],
                None,
                {
                    "name": client["name"],
                    "kind": kind,
                    "shard": client["shard"],
                    "devices": len(members.assets),
                },
                scope=f"{members.municipality}/{members.trade}",
            )
            for client, members in zip(made, groups, strict=True)
        ],
    )
    return len(groups), added + bound


async def _fill_up(unit: Unit, taken: Mapping[int, list[int]]) -> None:
    """Existing gateways carry these devices from now on."""
    if not taken:
        return
    rows = await unit.execute(
        text(
            "select c.id, c.token, c.municipality || '/' || c.trade as scope, count(d.asset) as n"
            " from gateways.client c left join gateways.device d on d.client = c.id"
            " where c.id = any(:ids) group by c.id order by c.id"
        ),
        {"ids": list(taken)},
    )
    changes = [
        Change(
            "gateway",
            row.token,
            {"devices": row.n},
            {"devices": row.n + len(taken[row.id]), "assets": taken[row.id]},
            scope=row.scope,
        )
        for row in rows
    ]
    assets = [asset for members in taken.values() for asset in members]
    clients = [client for client, members in taken.items() for _ in members]
    await unit.execute(_BIND, {"assets": assets, "clients": clients})
    await journal.record(
        unit, "gateways.filled_up", params={"devices": len(assets)}, changes=changes
    )


async def _store(
    unit: Unit, protocol: str, kind: str, groups: Sequence[Group], made: Sequence[dict[str, Any]]
) -> None:
    rows = await unit.execute(
        text(
            "insert into gateways.client (token, name, kind, protocol, shard, secret_sha256,"
            " municipality, trade)"
            " select r.t, r.n, :kind, :protocol, r.s, r.d, r.m, r.r from unnest("
            " cast(:tokens as text[]), cast(:names as text[]), cast(:shards as int[]),"
            " cast(:digests as bytea[]), cast(:municipalities as text[]), cast(:trades as text[]))"
            " as r(t, n, s, d, m, r) returning id, token"
        ),
        {
            "kind": kind,
            "protocol": protocol,
            "tokens": [client["token"] for client in made],
            "names": [client["name"] for client in made],
            "shards": [client["shard"] for client in made],
            "digests": [client["digest"] for client in made],
            "municipalities": [members.municipality for members in groups],
            "trades": [members.trade for members in groups],
        },
    )
    identity = {row.token: row.id for row in rows}
    assets: list[int] = []
    clients: list[int] = []
    for client, members in zip(made, groups, strict=True):
        assets += members.assets
        clients += [identity[client["token"]]] * len(members.assets)
    await unit.execute(_BIND, {"assets": assets, "clients": clients})


async def _rotate(unit: Unit, lost: Sequence[Any], secrets: dict[str, str]) -> None:
    if not lost:
        return
    for row in lost:
        secrets[row.token] = ids.secret()
    await unit.execute(
        text(
            "update gateways.client c set secret_sha256 = r.d, rotated = now() from unnest("
            " cast(:ids as int[]), cast(:digests as bytea[])) as r(i, d) where c.id = r.i"
        ),
        {
            "ids": [row.id for row in lost],
            "digests": [digest(secrets[row.token]) for row in lost],
        },
    )
    await journal.record(
        unit,
        "gateways.secrets_rotated",
        params={"gateways": len(lost)},
        scopes={f"{row.municipality}/{row.trade}" for row in lost},
    )


async def _unbound(unit: Unit) -> list[Place]:
    rows = await unit.execute(
        text(
            f"select a.id, a.municipality, a.trade, a.lon, a.lat, {_CABINET}"  # noqa: S608
            " from twin.asset a left join gateways.device d on d.asset = a.id"
            " left join gateways.client c on c.id = d.client"
            " where (d.asset is null or c.revoked is not null) and a.retired is null"
            " order by a.id"
        )
    )
    return [
        Place(row.id, row.municipality, row.trade, row.lon, row.lat, row.cabinet) for row in rows
    ]


async def _sites(unit: Unit, protocol: str) -> list[Site]:
    rows = await unit.execute(
        text(
            "select c.id as client, c.municipality as town, c.trade as works,"  # noqa: S608
            f" a.id, a.municipality, a.trade, a.lon, a.lat, {_CABINET} from gateways.client c"
            " join gateways.device d on d.client = c.id join twin.asset a on a.id = d.asset"
            " where c.revoked is null and c.kind = 'site' and c.protocol = :protocol"
            " and a.retired is null order by c.id, a.id"
        ),
        {"protocol": protocol},
    )
    sites: dict[int, Site] = {}
    for row in rows:
        site = sites.setdefault(row.client, Site(row.client, row.town, row.works, []))
        site.places.append(
            Place(row.id, row.municipality, row.trade, row.lon, row.lat, row.cabinet)
        )
    return list(sites.values())


async def _clients(unit: Unit, protocol: str) -> list[Any]:
    rows = await unit.execute(
        text(
            "select id, token, shard, name, secret_sha256, municipality, trade"
            " from gateways.client where revoked is null and protocol = :protocol order by name, id"
        ),
        {"protocol": protocol},
    )
    return list(rows.all())


async def _devices(unit: Unit) -> dict[int, list[Device]]:
    rows = await unit.execute(
        text(
            "select d.client, a.token, a.kind, a.source_id, a.lon, a.lat,"
            " a.attributes ->> 'power' as power from gateways.device d"
            " join twin.asset a on a.id = d.asset where a.retired is null"
            " order by d.client, a.id"
        )
    )
    devices: dict[int, list[Device]] = {}
    for row in rows:
        devices.setdefault(row.client, []).append(
            Device(row.token, row.kind, row.source_id, row.lon, row.lat, _power(row.power))
        )
    return devices


def _power(value: str | None) -> float:
    try:
        power = float(value or DEFAULT_POWER)
    except ValueError:
        return DEFAULT_POWER
    return power if 0 < power <= 2000 else DEFAULT_POWER
