"""Trackers: enrolled for a piece of equipment, listed, removed.

A tracker is a client like any other, with a token and a secret; one that can only say its number
(an IMEI) is known by that as well.
"""

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy import select as select_
from sqlalchemy.exc import IntegrityError

from vigie.core import journal
from vigie.core.bus import Bus
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Fault, NotFound, wrong_fields
from vigie.core.filters import Choice, Fields, Number
from vigie.core.filters import Text as TextField
from vigie.core.journal import Change
from vigie.core.lists import Listing
from vigie.gateways import clients
from vigie.twin import kinds

Protocol = Literal["osmand", "teltonika", "nmea", "radio"]
PROTOCOLS: tuple[Protocol, ...] = ("osmand", "teltonika", "nmea", "radio")
_IDENTITY = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_IMEI = re.compile(r"\d{10,17}")

_META = MetaData(schema="gateways")
_TRACKER = Table(
    "tracker",
    _META,
    Column("client", Integer, primary_key=True),
    Column("protocol", Text),
    Column("identity", Text),
    Column("asset", Integer),
    Column("created", DateTime(timezone=True)),
    Column("municipality", Text),
    Column("trade", Text),
)
_CLIENT = Table(
    "client", _META, Column("id", Integer, primary_key=True), Column("token", Text),
    Column("name", Text), Column("revoked", DateTime(timezone=True)),
)  # fmt: skip
_POSITION = Table(
    "position", MetaData(schema="twin"), Column("asset", Integer, primary_key=True),
    Column("last", DateTime(timezone=True)),
)  # fmt: skip
TRACKERS_OF = (
    select_(
        _TRACKER.c.client.label("id"),
        _CLIENT.c.token,
        _CLIENT.c.name,
        _TRACKER.c.protocol,
        _TRACKER.c.identity,
        _TRACKER.c.asset,
        _TRACKER.c.municipality,
        _TRACKER.c.trade,
        _TRACKER.c.created,
        _CLIENT.c.revoked,
        _POSITION.c.last,
    )
    .select_from(
        _TRACKER.join(_CLIENT, _CLIENT.c.id == _TRACKER.c.client).outerjoin(
            _POSITION, _POSITION.c.asset == _TRACKER.c.asset
        )
    )
    .subquery("trackers")
)


class Tracker(msgspec.Struct, frozen=True):
    """A tracker: the client's token, the number it names itself by, and the equipment it speaks
    for; `last` is the time of its newest position."""

    id: int
    token: str
    name: str
    protocol: str
    identity: str
    asset: int | None
    municipality: str
    trade: str
    created: datetime
    revoked: datetime | None
    last: datetime | None


class TrackerNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tracker to be enrolled. `identity` is the number it names itself by; without one it logs
    in with the token and secret of its client. `others`: further radios behind a radio gateway."""

    asset: int
    protocol: Protocol
    identity: Annotated[str, Meta(max_length=64)] = ""
    others: Annotated[list[int], Meta(max_length=1000)] = []


class TrackerIssued(msgspec.Struct, frozen=True):
    """A tracker's client; the secret is shown this once."""

    token: str
    secret: str
    protocol: str
    identity: str
    asset: int


TRACKERS = Listing(
    "positions.trackers",
    TRACKERS_OF,
    row=Tracker,
    fields=Fields(
        Choice("protocol", TRACKERS_OF.c.protocol, PROTOCOLS),
        TextField("identity", TRACKERS_OF.c.identity),
        TextField("municipality", TRACKERS_OF.c.municipality),
        TextField("trade", TRACKERS_OF.c.trade),
        Number("asset", TRACKERS_OF.c.asset, whole=True),
    ),
    sorts={"created": TRACKERS_OF.c.created, "identity": TRACKERS_OF.c.identity},
    default="-created",
    key=TRACKERS_OF.c.id,
    scope=(TRACKERS_OF.c.municipality, TRACKERS_OF.c.trade),
)


async def enrol(unit: Unit, bus: Bus, new: TrackerNew, shards: int) -> TrackerIssued:
    """Let a tracker speak for a piece of equipment. Raises NotFound, Invalid for an identity that
    is none, Conflict for one that is taken."""
    if new.protocol == "teltonika" and not _IMEI.fullmatch(new.identity):
        raise _no_identity("the IMEI, digits only: these devices log in with nothing else")
    if new.identity and not _IDENTITY.fullmatch(new.identity):
        raise _no_identity("letters, digits, and . : _ -")
    if new.others and new.protocol != "radio":
        raise wrong_fields(
            Fault("others", "wrong_value", "empty: only radio gateways carry several"),
            code="tracker_others",
            detail="Only a radio gateway speaks for several: enrol each tracker by itself.",
        )
    found = await unit.execute(
        text("select name, source_id, kind, municipality, trade from twin.asset where id = :id"),
        {"id": new.asset},
    )
    asset = found.one_or_none()
    if asset is None:
        raise NotFound("not_found", f"There is no equipment {new.asset}.")
    kind = kinds.kind(asset.kind)
    if kind is None or not kind.moves:
        raise wrong_fields(
            Fault("asset", "does_not_move", "of a kind that moves"),
            code="does_not_move",
            detail="A tracker speaks for equipment that moves: choose a vehicle, a bus or a radio.",
        )
    name = asset.name or asset.source_id or str(new.asset)
    issued = await clients.issue_client(
        unit,
        bus,
        name=f"{new.protocol} {new.identity or name}"[:100],
        kind="site" if new.others else "device",
        shards=shards,
        protocol=new.protocol,
        stream=clients.ACCEPTED,
        trade=asset.trade,
        municipality=asset.municipality,
        assets=list(dict.fromkeys([new.asset, *new.others])),
    )
    identity = new.identity or issued.token
    try:
        async with unit.attempt():
            await unit.execute(
                text(
                    "insert into gateways.tracker"
                    " (client, protocol, identity, asset, municipality, trade)"
                    " select id, :protocol, :identity, :asset, :municipality, :trade"
                    " from gateways.client where token = :token"
                ),
                {
                    "protocol": new.protocol,
                    "identity": identity,
                    "asset": new.asset,
                    "municipality": asset.municipality,
                    "trade": asset.trade,
                    "token": issued.token,
                },
            )
    except IntegrityError as error:
        raise Conflict(
            "tracker_taken",
            f"A tracker {new.identity} is enrolled already: remove that one first.",
            {"identity": new.identity},
        ) from error
    scope = f"{asset.municipality}/{asset.trade}"
    after = {
        "protocol": new.protocol, "identity": identity, "asset": new.asset, "others": new.others,
    }  # fmt: skip
    await journal.record(
        unit,
        "positions.tracker_enrolled",
        params={"protocol": new.protocol, "asset": new.asset},
        changes=[Change("tracker", issued.token, None, after, scope=scope)],
    )
    return TrackerIssued(issued.token, issued.secret, new.protocol, identity, new.asset)


async def remove(unit: Unit, bus: Bus, token: str, reason: str) -> None:
    """A tracker speaks no more: its client is revoked, its number is free. Raises NotFound."""
    gone = await unit.execute(
        text(
            "delete from gateways.tracker t using gateways.client c"
            " where c.id = t.client and c.token = :token"
            " returning t.protocol, t.identity, t.municipality || '/' || t.trade as scope"
        ),
        {"token": token},
    )
    row = gone.one_or_none()
    if row is None:
        raise NotFound("no_tracker", f"There is no tracker {token}.", {"token": token})
    await clients.revoke(unit, bus, token, reason)
    before = {"protocol": row.protocol, "identity": row.identity}
    await journal.record(
        unit,
        "positions.tracker_removed",
        params={"protocol": row.protocol},
        changes=[Change("tracker", token, before, None, scope=row.scope)],
        reason=reason,
    )


def _no_identity(must: str) -> Exception:
    return wrong_fields(
        Fault("identity", "wrong_value", must),
        code="tracker_identity",
        detail=f"`identity` is the number the tracker names itself by: {must}.",
    )
