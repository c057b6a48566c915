"""Saved views over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar.params import Parameter

from vigie.core.database import Unit
from vigie.core.lists import views
from vigie.core.lists.views import NewView, View, ViewChange
from vigie.core.permissions import ANY_LOGIN
from vigie.core.states import version
from vigie.core.web.routes import IfMatch, Tagged, delete, get, patch, post, put

OfList = Annotated[
    str | None, Parameter(query="list", max_length=64, description="Of one list: `twin.assets`.")
]


@get("/views", permission=ANY_LOGIN)
async def list_views(unit: Unit, list_: OfList = None) -> list[View]:
    """Your saved views and those shared with a role of yours, by title."""
    return await views.list_views(unit, list_)


@post("/views", permission=ANY_LOGIN, status=201)
async def create_view(unit: Unit, data: NewView) -> Tagged[View]:
    """Save a list as you look at it; 100 at most. Sharing it needs `core.share_views`."""
    view = await views.create_view(unit, data)
    return Tagged(view, str(view.version))


@patch("/views/{view_id:uuid}", permission=ANY_LOGIN)
async def change_view(
    unit: Unit, view_id: UUID, data: ViewChange, if_match: IfMatch = None
) -> Tagged[View]:
    """Change a view of yours."""
    view = await views.change_view(unit, view_id, data, version(if_match))
    return Tagged(view, str(view.version))


@delete("/views/{view_id:uuid}", permission=ANY_LOGIN, status=204)
async def delete_view(unit: Unit, view_id: UUID) -> None:
    """Remove a view of yours, for those too with whom it was shared."""
    await views.delete_view(unit, view_id)


@put("/views/{view_id:uuid}/default", permission=ANY_LOGIN, status=204)
async def set_default_view(unit: Unit, view_id: UUID) -> None:
    """Have your list open with this view, one of yours or one shared with you."""
    await views.set_default(unit, view_id, default=True)


@delete("/views/{view_id:uuid}/default", permission=ANY_LOGIN, status=204)
async def unset_default_view(unit: Unit, view_id: UUID) -> None:
    """Have your list open as usual."""
    await views.set_default(unit, view_id, default=False)


ROUTES = [list_views, create_view, change_view, delete_view, set_default_view, unset_default_view]
