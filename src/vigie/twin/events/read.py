"""Reading events: the list, what personal ones say (with a reason, written down), the newest for
the screens; and erasing what is somebody's."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text, true

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.errors import NotFound
from vigie.core.filters import Choice, Fields, Number, Text, Time, contains
from vigie.core.lists import Listing, ListQuery
from vigie.core.live import Row, RowTopic
from vigie.core.paging import Page
from vigie.twin.events import rules
from vigie.twin.events.model import EVENT, AssetEvent, EventErasure, EventPersonal
from vigie.twin.events.store import SHOWN, TOPIC

_YES_NO = ("yes", "no")

EVENTS = Listing(
    "twin.events",
    EVENT,
    row=AssetEvent,
    fields=Fields(
        Text("name", EVENT.c.name),
        Text("kind", EVENT.c.kind),
        Number("asset", EVENT.c.asset, whole=True),
        Text("municipality", EVENT.c.municipality),
        Text("trade", EVENT.c.trade),
        Choice("abnormal", None, _YES_NO, pick=lambda v: EVENT.c.abnormal.is_(v == "yes")),
        Choice("personal", None, _YES_NO, pick=lambda v: EVENT.c.personal.is_(v == "yes")),
        Time("at", EVENT.c.at),
        words=lambda word: EVENT.c.folded.like(contains(word)),
    ),
    sorts={"at": EVENT.c.at, "name": EVENT.c.name, "kind": EVENT.c.kind},
    default="-at",
    key=EVENT.c.key,
    scope=(EVENT.c.municipality, EVENT.c.trade),
    facets={"name": EVENT.c.name, "kind": EVENT.c.kind},
)
_PERSONAL = text(
    """
    select e.key, e.asset, e.municipality || '/' || e.trade as scope, p.fields
    from twin.event e
    join twin.event_personal p on p.at = e.at and p.key = e.key
    where e.key = :key and e.at between :first and :last and p.expires > vigie.now()
    """
)
_ERASE = text(
    """
    delete from twin.event_personal
    where fields ->> :field = :value
    returning municipality || '/' || trade as scope
    """
)


async def events_of(unit: Unit, asset: int, query: ListQuery) -> Page[AssetEvent]:
    """What happened to one asset, newest first. Raises NotFound outside the caller's scope."""
    found = await unit.execute(text("select 1 from twin.asset where id = :id"), {"id": asset})
    if found.first() is None:
        raise NotFound("not_found", f"There is no equipment {asset}.")
    return await EVENTS.page(unit, query, where=[EVENT.c.asset == asset], bound=f"asset:{asset}")


async def read_personal(unit: Unit, key: UUID, reason: str) -> EventPersonal:
    """What a personal event says. Raises NotFound: no such event, erased, or its time is over."""
    try:
        at = rules.instant_of(key)
    except (ValueError, OverflowError):
        raise _nothing(key) from None
    found = await unit.execute(
        _PERSONAL,
        {"key": key, "first": at, "last": at + timedelta(milliseconds=1)},
    )
    row = found.one_or_none()
    if row is None:
        raise _nothing(key)
    await journal.record(
        unit,
        "twin.event_personal_read",
        params={"event": str(key), "asset": row.asset},
        reason=reason,
        scopes=[row.scope],
    )
    return EventPersonal(row.key, row.fields)


async def erase(unit: Unit, erasure: EventErasure) -> int:
    """Erase what personal events say in which a field has this value; how many those were. That
    something happened stays; the value is written nowhere."""
    done = await unit.execute(_ERASE, {"field": erasure.field, "value": erasure.value})
    scopes = list(done.scalars())
    await journal.record(
        unit,
        "twin.events_erased",
        params={"field": erasure.field, "events": len(scopes)},
        reason=erasure.reason,
        scopes=set(scopes),
    )
    return len(scopes)


async def _newest(unit: Unit, ids: Sequence[str] | None) -> list[Row]:
    """The newest events, or those of `ids` that are among them."""
    newest = select(EVENT).order_by(EVENT.c.at.desc(), EVENT.c.key.desc()).limit(SHOWN).subquery()
    wanted = true() if ids is None else newest.c.key.in_([UUID(one) for one in ids])
    rows = await unit.execute(select(newest).where(wanted))
    return [
        Row(
            str(row.key),
            f"{row.municipality}/{row.trade}",
            EVENTS.shown(row),
        )
        for row in rows
    ]


def _nothing(key: UUID) -> NotFound:
    return NotFound("no_event", f"There is no personal event {key} any more, or for you.")


TOPICS = (RowTopic(name=TOPIC, permission="twin.events_read", load=_newest, most=SHOWN + 300),)
