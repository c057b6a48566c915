"""Events over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar.params import Parameter

from vigie.core.database import Unit
from vigie.core.lists import ListQuery
from vigie.core.paging import Page
from vigie.core.web import Limit, get, post
from vigie.twin.events import read
from vigie.twin.events.model import AssetEvent, EventErasure, EventPersonal, EventsErased

Filter = Annotated[
    str, Parameter(query="filter", description="The filter language: `field:value` and words.")
]
Reason = Annotated[
    str, Parameter(min_length=3, max_length=500, description="Why it is read; it is written down.")
]


@get("/assets/{asset_id:int}/events", permission="twin.events_read")
async def events_of_asset(
    unit: Unit,
    asset_id: int,
    filter_: Filter = "",
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[AssetEvent]:
    """What happened to one piece of equipment, newest first."""
    return await read.events_of(unit, asset_id, ListQuery(filter_, None, cursor, limit))


@get("/events/{key:uuid}/personal", permission="twin.events_personal")
async def event_personal(unit: Unit, key: UUID, reason: Reason) -> EventPersonal:
    """What a personal event says; that it was read is written down with the reason."""
    return await read.read_personal(unit, key, reason)


@post("/events/erase", permission="twin.events_erase")
async def erase_events(unit: Unit, data: EventErasure) -> EventsErased:
    """Erase what personal events say of somebody: those in which a field has this value."""
    return EventsErased(await read.erase(unit, data))


ROUTES = [
    *read.EVENTS.routes("/events", permission="twin.events_read"),
    events_of_asset,
    event_personal,
    erase_events,
]
