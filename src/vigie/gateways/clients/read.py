"""Reading clients: how they are, what came of their messages, what was refused of each."""

import msgspec
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    case,
    func,
    literal,
    select,
    text,
)

from vigie.core import filters
from vigie.core.database import Unit
from vigie.core.errors import NotFound
from vigie.core.lists import Column as Shown
from vigie.core.lists import Listing, ListQuery, Sort
from vigie.core.paging import Page
from vigie.gateways.clients.model import Gateway, Tally

_META = MetaData(schema="gateways")
_CLIENT = Table(
    "client",
    _META,
    Column("id", Integer, primary_key=True),
    Column("token", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("clock", Text, nullable=False),
    Column("municipality", Text, nullable=False),
    Column("trade", Text, nullable=False),
    Column("revoked", DateTime(timezone=True)),
).alias("c")
_DEVICE = Table("device", _META, Column("asset", Integer), Column("client", Integer)).alias("d")
_PRESENCE = Table(
    "presence",
    _META,
    Column("client", Integer, primary_key=True),
    Column("online", Boolean),
    Column("since", DateTime(timezone=True)),
    Column("last_seen", DateTime(timezone=True)),
    Column("messages", BigInteger),
    Column("quarantined", BigInteger),
    Column("refused", BigInteger),
    Column("held_until", DateTime(timezone=True)),
    Column("skew_s", REAL),
).alias("p")
_PARKED = Table("parked", _META, Column("client", Text), Column("messages", BigInteger)).alias("k")
_FROM = _CLIENT.outerjoin(_PRESENCE, _PRESENCE.c.client == _CLIENT.c.id)
_ONLINE = func.coalesce(_PRESENCE.c.online, False, type_=Boolean)
_COUNTERS = {
    name: func.coalesce(_PRESENCE.c[name], 0, type_=BigInteger)
    for name in ("messages", "quarantined", "refused")
}
_DEVICES = (
    select(func.count())
    .select_from(_DEVICE)
    .where(_DEVICE.c.client == _CLIENT.c.id)
    .scalar_subquery()
)
_WAITING = (
    select(func.coalesce(func.sum(_PARKED.c.messages), 0))
    .where(_PARKED.c.client == _CLIENT.c.token)
    .scalar_subquery()
)
_HELD = case((_PRESENCE.c.held_until > func.now(), _PRESENCE.c.held_until))
_COLUMNS = [
    *_CLIENT.c,
    _DEVICES.label("devices"),
    _ONLINE.label("online"),
    _PRESENCE.c.since,
    _PRESENCE.c.last_seen,
    _PRESENCE.c.skew_s,
    *(counter.label(name) for name, counter in _COUNTERS.items()),
    _WAITING.label("parked"),
    _HELD.label("held_until"),
    # Its adapter says it, not the database.
    literal("").label("maturity"),
]
_IS_ONLINE = {"yes": _ONLINE.is_(True), "no": _ONLINE.is_(False)}
_IS_REVOKED = {"yes": _CLIENT.c.revoked.is_not(None), "no": _CLIENT.c.revoked.is_(None)}


async def _fields(unit: Unit) -> filters.Fields:
    return filters.Fields(
        filters.Choice("kind", _CLIENT.c.kind, ("site", "device")),
        filters.Text("protocol", _CLIENT.c.protocol),
        filters.Choice("clock", _CLIENT.c.clock, ("device", "server")),
        filters.Number("skew", _PRESENCE.c.skew_s),
        filters.Text("municipality", _CLIENT.c.municipality),
        filters.Text("trade", _CLIENT.c.trade),
        filters.Choice("online", None, _IS_ONLINE, pick=_IS_ONLINE.__getitem__),
        filters.Choice("revoked", None, _IS_REVOKED, pick=_IS_REVOKED.__getitem__),
        filters.Time("last_seen", _PRESENCE.c.last_seen, await unit.zone()),
        words=lambda word: _CLIENT.c.name.ilike(f"%{filters.escape_like(word)}%"),
    )


GATEWAYS = Listing(
    "gateways.clients",
    _FROM,
    row=Gateway,
    select=_COLUMNS,
    fields=_fields,
    sorts={
        **{name: _CLIENT.c[name] for name in ("name", "kind", "municipality")},
        "online": Sort(_ONLINE, nullable=False),
        "last_seen": _PRESENCE.c.last_seen,
        **{name: Sort(counter, nullable=False) for name, counter in _COUNTERS.items()},
    },
    default="name",
    key=_CLIENT.c.id,
    scope=(_CLIENT.c.municipality, _CLIENT.c.trade),
    export=(
        Shown("name", en="Name", fr="Nom"),
        Shown("token", en="Token", fr="Jeton"),
        Shown("kind", en="Kind", fr="Genre"),
        Shown("protocol", en="Protocol", fr="Protocole"),
        Shown("municipality", en="Municipality", fr="Commune"),
        Shown("trade", en="Trade", fr="Métier"),
        Shown("devices", en="Devices", fr="Appareils"),
        Shown("online", en="Online", fr="En ligne"),
        Shown("since", en="Since", fr="Depuis"),
        Shown("last_seen", en="Last seen", fr="Vu"),
        Shown("messages", en="Messages", fr="Messages"),
        Shown("quarantined", en="Quarantined", fr="En quarantaine"),
        Shown("refused", en="Refused", fr="Refusés"),
        Shown("revoked", en="Revoked", fr="Révoqué"),
    ),
)


async def read_gateways(
    unit: Unit,
    *,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
    online: bool | None = None,
) -> Page[Gateway]:
    """Every client with its counters, by name."""
    where = [] if online is None else [_IS_ONLINE["yes" if online else "no"]]
    query = ListQuery(filter_, sort, cursor, limit)
    page = await GATEWAYS.page(unit, query, where=where, bound=f"{online}")
    return msgspec.structs.replace(page, items=[_matured(unit, item) for item in page.items])


async def read_gateway(unit: Unit, token: str) -> Gateway:
    """One client. Raises NotFound."""
    statement = select(*_COLUMNS).select_from(_FROM).where(_CLIENT.c.token == token)
    row = (await unit.execute(statement)).one_or_none()
    if row is None:
        raise unknown(token)
    return _matured(unit, GATEWAYS.shown(row))


async def read_tally(unit: Unit, token: str, limit: int = 200) -> list[Tally]:
    """What was refused of a client, by hour and reason, newest first. Raises NotFound."""
    await read_gateway(unit, token)
    rows = (
        await unit.execute(
            text(
                "select hour, place, code, total, last, detail from gateways.tally"
                " where source = :token order by hour desc, total desc limit :limit"
            ),
            {"token": token, "limit": limit},
        )
    ).all()
    return [Tally(*row) for row in rows]


async def count_by_protocol(unit: Unit) -> dict[str, tuple[int, int]]:
    """How many clients that are not revoked speak each protocol, and how many are online."""
    rows = await unit.execute(
        select(
            _CLIENT.c.protocol,
            func.count().label("clients"),
            func.count().filter(_ONLINE).label("online"),
        )
        .select_from(_FROM)
        .where(_CLIENT.c.revoked.is_(None))
        .group_by(_CLIENT.c.protocol)
    )
    return {row.protocol: (row.clients, row.online) for row in rows}


def _matured(unit: Unit, gateway: Gateway) -> Gateway:
    """With what the adapter of its protocol says of itself."""
    adapter = unit.house.part("adapters").get(gateway.protocol)
    return msgspec.structs.replace(gateway, maturity=adapter.maturity) if adapter else gateway


def unknown(token: str) -> NotFound:
    """The same answer for what is not and for what is hidden."""
    return NotFound("client_unknown", "There is no such client.", {"client": token})
