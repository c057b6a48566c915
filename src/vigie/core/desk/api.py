"""The desk over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar.params import Parameter

from vigie.core.database import Unit
from vigie.core.desk import service
from vigie.core.desk.model import (
    DeskHold,
    DeskPost,
    DeskPreferences,
    NewPost,
    Taking,
    Wall,
    WallChange,
)
from vigie.core.live import RowTopic
from vigie.core.objects import Ref
from vigie.core.permissions import ANY_LOGIN
from vigie.core.states import version
from vigie.core.web.routes import IfMatch, Tagged, delete, get, post, put

WallName = Annotated[str, Parameter(max_length=32, pattern="^[a-z0-9-]+$")]


@get("/desk/preferences", permission=ANY_LOGIN)
async def read_preferences(unit: Unit) -> DeskPreferences:
    """How you like your console."""
    return await service.read_preferences(unit)


@put("/desk/preferences", permission=ANY_LOGIN)
async def write_preferences(unit: Unit, data: DeskPreferences) -> DeskPreferences:
    """Keep how you like your console."""
    return await service.write_preferences(unit, data)


@get("/desk/posts", permission=ANY_LOGIN)
async def list_posts(unit: Unit) -> list[DeskPost]:
    """Your saved posts: windows to bring back together."""
    return await service.list_posts(unit)


@post("/desk/posts", permission=ANY_LOGIN, status=201)
async def save_post(unit: Unit, data: NewPost) -> DeskPost:
    """Keep windows under a name; the same name is replaced. 30 at most."""
    return await service.save_post(unit, data)


@delete("/desk/posts/{post_id:uuid}", permission=ANY_LOGIN, status=204)
async def delete_post(unit: Unit, post_id: UUID) -> None:
    """Remove a post of yours."""
    await service.delete_post(unit, post_id)


@post("/desk/presence", permission="core.desk", status=204)
async def look(unit: Unit, data: Ref) -> None:
    """Say that you look at an object, for a minute; say it again to stay."""
    await service.look(unit, data)


@post("/desk/presence/leave", permission="core.desk", status=204)
async def leave(unit: Unit, data: Ref) -> None:
    """Say that you look at it no more."""
    await service.leave(unit, data)


@post("/desk/locks", permission="core.desk", status=201)
async def take(unit: Unit, data: Taking) -> DeskHold:
    """Take an object for ten minutes, longer while you look at it: colleagues see it, and are not
    stopped by it."""
    return await service.take(unit, data)


@post("/desk/locks/release", permission="core.desk", status=204)
async def give_back(unit: Unit, data: Ref) -> None:
    """Let go of an object that you took."""
    await service.give_back(unit, data)


@get("/desk/walls/{wall:str}", permission="core.desk")
async def read_wall(unit: Unit, wall: WallName) -> Tagged[Wall]:
    """What a wall shows."""
    found = await service.read_wall(unit, wall)
    return Tagged(found, str(found.version))


@put("/desk/walls/{wall:str}", permission="core.wall")
async def set_wall(
    unit: Unit, wall: WallName, data: WallChange, if_match: IfMatch = None
) -> Tagged[Wall]:
    """Show something else on a wall; a locked one only together with `unlock`."""
    changed = await service.set_wall(unit, wall, data, version(if_match))
    return Tagged(changed, str(changed.version))


ROUTES = [
    read_preferences,
    write_preferences,
    list_posts,
    save_post,
    delete_post,
    look,
    leave,
    take,
    give_back,
    read_wall,
    set_wall,
]
TOPICS = [
    RowTopic(name=service.PRESENCE, permission="core.desk", load=service.presence_rows),
    RowTopic(name=service.LOCKS, permission="core.desk", load=service.lock_rows),
    RowTopic(name=service.WALLS, permission="core.desk", load=service.wall_rows),
]
