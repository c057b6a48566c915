"""Messages and cascades as lists: filtered, sorted, downloaded."""

from collections.abc import Mapping
from typing import Any, get_args

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid, func

from vigie.core.filters import Choice, Fields, Time, contains
from vigie.core.filters import Text as Equals
from vigie.core.lists import Listing, Sort
from vigie.notify import rules
from vigie.notify.model import Cascade, Channel, Message
from vigie.notify.rules import CASCADE, MESSAGE

_META = MetaData(schema="notify")
_TEXTS = ("template", "state", "municipality", "trade")
_MESSAGE = Table(
    "message",
    _META,
    Column("id", Uuid, nullable=False),
    *(Column(name, Text, nullable=False) for name in (*_TEXTS, "channel", "error_code")),
    Column("contact", Uuid, nullable=False),
    *(Column(name, Boolean, nullable=False) for name in ("urgent", "maybe_twice")),
    *(Column(name, DateTime(timezone=True), nullable=False) for name in ("due", "created")),
    *(Column(name, DateTime(timezone=True)) for name in ("sent", "delivered")),
    Column("cascade", Uuid),
    Column("version", Integer, nullable=False),
).alias("m")
_CASCADE = Table(
    "cascade",
    _META,
    Column("id", Uuid, nullable=False),
    *(Column(name, Text, nullable=False) for name in _TEXTS),
    Column("current", Integer, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    *(Column(name, DateTime(timezone=True)) for name in ("acknowledged_at", "ended")),
    Column("acknowledged_by", Uuid),
    Column("version", Integer, nullable=False),
).alias("d")
_CONTACT = Table(
    "contact", _META, Column("id", Uuid), *(Column(n, Text) for n in ("name", "mail", "phone"))
).alias("c")


def shown(row: Mapping[Any, Any]) -> Message:
    """A row as lists show it; someone without a name is shown by a part of their address."""
    fields = dict(row)
    named = {name: fields[name] for name in Message.__struct_fields__ if name != "name"}
    return Message(**named, name=fields["name"] or rules.masked(fields["address"] or ""))


_MESSAGE_COLUMNS = [
    *(_MESSAGE.c[name] for name in Message.__struct_fields__ if name != "name"),
    _CONTACT.c.name,
    func.coalesce(_CONTACT.c.mail, _CONTACT.c.phone).label("address"),
]


MESSAGES = Listing(
    "notify.messages",
    _MESSAGE.join(_CONTACT, _CONTACT.c.id == _MESSAGE.c.contact),
    row=Message,
    compose=lambda unit, rows: _many(rows),
    select=_MESSAGE_COLUMNS,
    fields=Fields(
        Choice("state", _MESSAGE.c.state, MESSAGE.states),
        Choice("channel", _MESSAGE.c.channel, get_args(Channel)),
        Equals("template", _MESSAGE.c.template),
        Equals("municipality", _MESSAGE.c.municipality),
        Equals("trade", _MESSAGE.c.trade),
        Time("created", _MESSAGE.c.created),
        Time("due", _MESSAGE.c.due),
        words=lambda word: func.lower(_CONTACT.c.name).like(contains(word)),
    ),
    sorts={
        "created": _MESSAGE.c.created,
        "due": _MESSAGE.c.due,
        "sent": Sort(_MESSAGE.c.sent, nullable=True),
        "state": _MESSAGE.c.state,
        "channel": _MESSAGE.c.channel,
        "template": _MESSAGE.c.template,
    },
    default="-created",
    key=_MESSAGE.c.id,
    scope=(_MESSAGE.c.municipality, _MESSAGE.c.trade),
)
CASCADES = Listing(
    "notify.cascades",
    _CASCADE.outerjoin(_CONTACT, _CONTACT.c.id == _CASCADE.c.acknowledged_by),
    row=Cascade,
    select=[
        *(_CASCADE.c[n] for n in Cascade.__struct_fields__ if n != "acknowledged_by"),
        _CONTACT.c.name.label("acknowledged_by"),
    ],
    fields=Fields(
        Choice("state", _CASCADE.c.state, CASCADE.states),
        Equals("template", _CASCADE.c.template),
        Equals("municipality", _CASCADE.c.municipality),
        Equals("trade", _CASCADE.c.trade),
        Time("created", _CASCADE.c.created),
    ),
    sorts={
        "created": _CASCADE.c.created,
        "ended": Sort(_CASCADE.c.ended, nullable=True),
        "state": _CASCADE.c.state,
        "template": _CASCADE.c.template,
    },
    default="-created",
    key=_CASCADE.c.id,
    scope=(_CASCADE.c.municipality, _CASCADE.c.trade),
)


async def _many(rows: Any) -> list[Message]:
    return [shown(row._mapping) for row in rows]
