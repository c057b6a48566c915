"""Links between any two objects, of whatever rooms: an incident concerns a light, a log entry
follows an alarm. A link is seen by who may see both its ends, and made by who may too."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.database import Unit
from vigie.core.errors import Invalid, NotFound, TooMany
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.objects import Ref, Title, titles
from vigie.core.scope import scope_key

# From one end; the screens have words for both directions of each.
KINDS = ("concerns", "caused_by", "part_of", "duplicate_of", "follows", "documents", "answers")
MOST_AN_OBJECT = 500

_INSERT = text(
    "insert into core.link (id, kind, from_type, from_id, to_type, to_id, created, created_by)"
    " values (:id, :kind, :from_type, :from_id, :to_type, :to_id, :now, :by)"
    " on conflict (from_type, from_id, to_type, to_id, kind) do nothing"
)
_OF = text(
    "select id, kind, from_type, from_id, to_type, to_id, created from core.link"
    " where (from_type = :type and from_id = :id) or (to_type = :type and to_id = :id)"
    " order by created desc, id desc limit :most"
)
_COUNT = text(
    "select count(*) from core.link"
    " where (from_type = :type and from_id = :id) or (to_type = :type and to_id = :id)"
)


class Link(msgspec.Struct, frozen=True):
    """A link as seen from one of its ends: the other end, and whether it points here."""

    id: UUID
    kind: str
    incoming: bool
    other: Ref
    title: Title
    created: datetime


async def link(unit: Unit, from_: Ref, to: Ref, kind: str) -> UUID:
    """Link two objects; the same link twice is one. The link's id.

    Raises Invalid for an unknown kind or a link to itself, NotFound when an end does not exist for
    the principal, TooMany when an object has more links than a screen could ever show.
    """
    if kind not in KINDS:
        raise Invalid(
            "link_kind", f"A link is one of {', '.join(KINDS)}; {kind!r} is not.", {"kind": kind}
        )
    if from_ == to:
        raise Invalid("link_to_itself", "An object is not linked to itself.")
    seen = await _both(unit, from_, to)
    for end in (from_, to):
        count = await unit.execute(_COUNT, {"type": end.type, "id": end.id})
        if count.scalar_one() >= MOST_AN_OBJECT:
            raise TooMany(
                "too_many_links",
                f"{end.type} {end.id} has {MOST_AN_OBJECT} links already: remove some first.",
                {"type": end.type, "id": end.id, "most": MOST_AN_OBJECT},
            )
    made = uuid7()
    inserted = await unit.execute(
        _INSERT,
        {"id": made, "kind": kind, **_ends(from_, to), "now": clock.now(),
         "by": unit.principal.id},
    )  # fmt: skip
    if inserted.rowcount == 0:
        found = await unit.execute(
            text(
                "select id from core.link where kind = :kind and from_type = :from_type"
                " and from_id = :from_id and to_type = :to_type and to_id = :to_id"
            ),
            {"kind": kind, **_ends(from_, to)},
        )
        return found.scalar_one()
    await journal.record(
        unit,
        "core.linked",
        params={"kind": kind, "from": from_.type, "to": to.type},
        changes=_changes(from_, to, seen, None, {"kind": kind}),
    )
    return made


async def unlink(unit: Unit, link: UUID) -> None:
    """Take a link away. Raises NotFound when it does not exist for the principal."""
    row = (
        await unit.execute(
            text("select kind, from_type, from_id, to_type, to_id from core.link where id = :id"),
            {"id": link},
        )
    ).one_or_none()
    if row is None:
        raise _no_link()
    from_, to = Ref(row.from_type, row.from_id), Ref(row.to_type, row.to_id)
    try:
        seen = await _both(unit, from_, to)
    except NotFound as error:
        raise _no_link() from error
    await unit.execute(text("delete from core.link where id = :id"), {"id": link})
    await journal.record(
        unit,
        "core.unlinked",
        params={"kind": row.kind, "from": from_.type, "to": to.type},
        changes=_changes(from_, to, seen, {"kind": row.kind}, None),
    )


async def of(unit: Unit, ref: Ref) -> list[Link]:
    """The links of an object, newest first: those whose other end the principal may see.

    Raises NotFound when the object does not exist for the principal.
    """
    if ref not in await titles(unit, [ref]):
        raise _no_object(ref)
    rows = await unit.execute(_OF, {"type": ref.type, "id": ref.id, "most": MOST_AN_OBJECT})
    found: list[tuple[UUID, str, bool, Ref, datetime]] = []
    for row in rows:
        from_, to = Ref(row.from_type, row.from_id), Ref(row.to_type, row.to_id)
        incoming = to == ref
        found.append((row.id, row.kind, incoming, from_ if incoming else to, row.created))
    named = await titles(unit, [other for _, _, _, other, _ in found])
    return [
        Link(id_, kind, incoming, other, named[other], created)
        for id_, kind, incoming, other, created in found
        if other in named
    ]


async def _both(unit: Unit, from_: Ref, to: Ref) -> dict[Ref, Title]:
    seen = await titles(unit, [from_, to])
    for end in (from_, to):
        if end not in seen:
            raise _no_object(end)
    return seen


def _changes(
    from_: Ref,
    to: Ref,
    seen: dict[Ref, Title],
    before: dict[str, str] | None,
    after: dict[str, str] | None,
) -> list[Change]:
    changes: list[Change] = []
    # Who may not know of one end learns nothing of the link from the other.
    closed = [seen[end].compartment for end in (from_, to)]
    scopes = {
        end: scope_key(seen[end].municipality, seen[end].trade, *closed) for end in (from_, to)
    }
    for end, other in ((from_, to), (to, from_)):
        scope = scopes[end]
        # Who reads of one end need not see the other: its type is told, its name where the scope
        # is the same. Who sees both finds both changes in the act.
        named = {"link": f"{other.type}:{other.id}" if scope == scopes[other] else other.type}
        changes.append(
            Change(
                end.type,
                end.id,
                before and {**named, **before},
                after and {**named, **after},
                scope,
            )
        )
    return changes


def _ends(from_: Ref, to: Ref) -> dict[str, str]:
    return {
        "from_type": from_.type,
        "from_id": from_.id,
        "to_type": to.type,
        "to_id": to.id,
    }


def _no_object(ref: Ref) -> NotFound:
    return NotFound(
        "object_not_found", f"There is no {ref.type} {ref.id}.", {"type": ref.type, "id": ref.id}
    )


def _no_link() -> NotFound:
    return NotFound("link_not_found", "There is no such link.")
