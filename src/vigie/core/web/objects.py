"""Verbs and links over HTTP: what rooms do for each other, and what belongs together."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar.params import Parameter

from vigie.core import links
from vigie.core.database import Unit
from vigie.core.links import Link
from vigie.core.objects import Ref
from vigie.core.permissions import ANY_LOGIN
from vigie.core.web.routes import delete, get, post

ObjectType = Annotated[str, Parameter(query="type", max_length=64, description="As twin.asset.")]
ObjectId = Annotated[str, Parameter(query="id", max_length=128)]


class VerbShown(msgspec.Struct, frozen=True):
    """A verb that the caller may use, with the JSON Schema of its parameters."""

    name: str
    room: str
    summary: str
    permission: str
    params: dict[str, Any]


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From an object to another, and in which way."""

    from_: Ref = msgspec.field(name="from")
    to: Ref
    kind: Annotated[str, msgspec.Meta(max_length=32)]


class Made(msgspec.Struct, frozen=True):
    """What was made."""

    id: UUID


@get("/verbs", permission=ANY_LOGIN)
async def list_verbs(unit: Unit) -> list[VerbShown]:
    """What rooms do for each other, as far as your roles allow: procedures are built of these."""
    catalogue = unit.house.catalogue
    return [
        VerbShown(
            name=verb.name,
            room=verb.name.partition(".")[0],
            summary=verb.summary,
            permission=verb.permission,
            params=msgspec.json.schema(verb.params),
        )
        for verb in unit.house.part("verbs").values()
        if catalogue.scope_for(unit.principal, verb.permission) is not None
    ]


@get("/links", permission=ANY_LOGIN, may_be_missing=True)
async def list_links(unit: Unit, type_: ObjectType, id_: ObjectId) -> list[Link]:
    """What an object is linked to, newest first; only what you may see at the other end."""
    return await links.of(unit, Ref(type_, id_))


@post("/links", permission="core.link", status=201)
async def create_link(unit: Unit, data: NewLink) -> Made:
    """Link two objects that you may see; the same link twice is one."""
    return Made(await links.link(unit, data.from_, data.to, data.kind))


@delete("/links/{link_id:uuid}", permission="core.link", status=204)
async def delete_link(unit: Unit, link_id: UUID) -> None:
    """Take a link away."""
    await links.unlink(unit, link_id)


ROUTES = [list_verbs, list_links, create_link, delete_link]
