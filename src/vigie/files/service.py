"""The room's verbs: attaching, detaching, listing, opening; and who may see a file."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid, NotFound, TooMany
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.objects import Ref, Title, titles
from vigie.files import keeping
from vigie.files.model import (
    OBJECT,
    AttachFile,
    Attachment,
    DetachFile,
    FileView,
    Opened,
    Rendition,
)
from vigie.files.store import Store

MOST_AN_OBJECT = 200
MOST_A_FILE = 50

_FILE = """
select f.id, f.name, f.media_type, f.bytes, f.width, f.height, f.state, f.scan, f.evidence,
       f.created, f.owner,
       array(select r.kind from files.rendition r
              where r.file = f.id and r.kind in ('small', 'large') order by r.kind desc) as sizes
  from files.file f
"""
_BY_ID = text(_FILE + " where f.id = any(:ids)")
_OF_OBJECT = text(
    "select a.id as attachment, a.caption, a.position, a.created as attached, f.*"  # noqa: S608
    f" from files.attachment a join ({_FILE}) f on f.id = a.file"
    " where a.object_type = :type and a.object_id = :id"
    " order by a.position, a.id limit :most"
)


async def attach(unit: Unit, params: AttachFile) -> Attachment:
    """Put a file beside an object; the same file twice is once, with the newer caption.

    Raises NotFound when the file or the object does not exist for the principal, Conflict for a
    quarantined file, TooMany when the object or the file has too many.
    """
    to = params.to
    title = await _demand_object(unit, to)
    found = await unit.execute(
        text("select state from files.file where id = :id for update"), {"id": params.file}
    )
    state = found.scalar_one_or_none()
    if state is None or not await may_see(unit, params.file):
        raise no_file()
    if state != "ready":
        raise Conflict("file_quarantined", "This file is in quarantine: it cannot be attached.")
    await _demand_few(unit, params)
    attachment = uuid7()
    written = await unit.execute(
        text(
            """
            insert into files.attachment as old
                   (id, file, object_type, object_id, caption, position, created, created_by)
            values (:id, :file, :type, :object, :caption,
                    coalesce(cast(:position as int),
                             (select coalesce(max(position) + 1, 0) from files.attachment
                               where object_type = :type and object_id = :object)),
                    :now, :by)
            on conflict (object_type, object_id, file) do update
               set caption = excluded.caption,
                   position = coalesce(cast(:position as int), old.position)
            returning id
            """
        ),
        {
            "id": attachment,
            "file": params.file,
            "type": to.type,
            "object": to.id,
            "caption": params.caption,
            "position": params.position,
            "now": clock.now(),
            "by": keeping.owner_of(unit),
        },
    )
    kept: UUID = written.scalar_one()
    await unit.execute(
        text("update files.file set loose_since = null where id = :id"), {"id": params.file}
    )
    await journal.record(
        unit,
        "files.attached",
        params={"type": to.type},
        personal={"caption": params.caption} if params.caption else {},
        changes=[
            Change(to.type, to.id, None, {"file": str(params.file)}, _scope(title)),
            Change(OBJECT, str(params.file), None, {"object": f"{to.type}:{to.id}"}, _scope(title)),
        ],
    )
    return next(a for a in await _attachments(unit, to) if a.id == kept)


async def detach(unit: Unit, params: DetachFile) -> None:
    """Take a file away from an object. Raises NotFound when there is none for the principal."""
    found = await unit.execute(
        text("select file, object_type, object_id from files.attachment where id = :id for update"),
        {"id": params.attachment},
    )
    row = found.one_or_none()
    missing = NotFound("attachment_not_found", "There is no such attachment.")
    if row is None:
        raise missing
    ref = Ref(row.object_type, row.object_id)
    try:
        title = await _demand_object(unit, ref)
    except NotFound as error:
        raise missing from error
    await unit.execute(text("select 1 from files.file where id = :id for update"), {"id": row.file})
    await unit.execute(
        text("delete from files.attachment where id = :id"), {"id": params.attachment}
    )
    await unit.execute(
        text(
            """
            update files.file set loose_since = :now
             where id = :id and not exists (select from files.attachment where file = :id)
            """
        ),
        {"id": row.file, "now": clock.now()},
    )
    await journal.record(
        unit,
        "files.detached",
        params={"type": ref.type},
        changes=[
            Change(ref.type, ref.id, {"file": str(row.file)}, None, _scope(title)),
            Change(OBJECT, str(row.file), {"object": f"{ref.type}:{ref.id}"}, None, _scope(title)),
        ],
    )


async def attached_to(unit: Unit, ref: Ref) -> list[Attachment]:
    """The files of an object, in order. Raises NotFound when there is none for the principal."""
    await _demand_object(unit, ref)
    return await _attachments(unit, ref)


async def read(unit: Unit, file: UUID) -> FileView:
    """One file. Raises NotFound when it does not exist for the principal."""
    row = (await unit.execute(_BY_ID, {"ids": [file]})).one_or_none()
    if row is None or not await may_see(unit, file):
        raise no_file()
    return _view(row)


async def open_rendition(
    unit: Unit, store: Store, file: UUID, kind: Rendition, *, sealed: bool = False
) -> Opened:
    """Where a rendition is, for those who may see the file; the sealed original is journalled.

    `sealed`: the caller holds files.originals. Raises NotFound.
    """
    row = (
        await unit.execute(
            text(
                """
                select f.name, f.state, r.sha256, r.media_type, c.bytes
                  from files.file f
                  join files.rendition r on r.file = f.id and r.kind = :kind
                  join files.content c on c.sha256 = r.sha256
                 where f.id = :id
                """
            ),
            {"id": file, "kind": kind},
        )
    ).one_or_none()
    if row is None or row.state != "ready" or (kind == "original") != sealed:
        raise no_file()
    if not await may_see(unit, file):
        raise no_file()
    if sealed:
        await journal.record(
            unit,
            "files.original_read",
            params={"sha256": row.sha256},
            changes=[Change(OBJECT, str(file))],
        )
    return Opened(store.path(row.sha256), row.sha256, row.bytes, row.media_type, row.name)


async def may_see(unit: Unit, file: UUID) -> bool:
    """True for who may see an object that the file is attached to; until it is attached, for who
    uploaded it."""
    rows = await unit.execute(
        text("select object_type, object_id from files.attachment where file = :id limit :most"),
        {"id": file, "most": MOST_A_FILE},
    )
    refs = [Ref(row.object_type, row.object_id) for row in rows]
    if unit.principal.kind == "system":
        return True
    if refs:
        return bool(await titles(unit, refs))
    owner = await unit.execute(text("select owner from files.file where id = :id"), {"id": file})
    found = owner.scalar_one_or_none()
    return found is not None and found == keeping.owner_of(unit)


async def file_titles(unit: Unit, ids: Collection[str]) -> Mapping[str, Title]:
    """Files as objects that others may link to."""
    wanted = [UUID(i) for i in ids if _is_uuid(i)]
    rows = await unit.execute(_BY_ID, {"ids": wanted})
    return {
        str(row.id): Title(row.name, row.media_type, row.created, state=row.state)
        for row in rows.all()
        if await may_see(unit, row.id)
    }


async def _attachments(unit: Unit, ref: Ref) -> list[Attachment]:
    rows = await unit.execute(_OF_OBJECT, {"type": ref.type, "id": ref.id, "most": MOST_AN_OBJECT})
    return [
        Attachment(row.attachment, _view(row), row.caption, row.position, row.attached)
        for row in rows
    ]


def _view(row: Any) -> FileView:
    return FileView(
        row.id, row.name, row.media_type, row.bytes, row.width, row.height, row.state, row.scan,
        row.evidence, row.created, list(row.sizes),
    )  # fmt: skip


async def _demand_object(unit: Unit, ref: Ref) -> Title:
    if ref.type == OBJECT:
        raise Invalid("attach_to_file", "A file is attached to an object, not to a file.")
    title = (await titles(unit, [ref])).get(ref)
    if title is None:
        raise NotFound(
            "object_not_found",
            f"There is no {ref.type} {ref.id}.",
            {"type": ref.type, "id": ref.id},
        )
    return title


async def _demand_few(unit: Unit, params: AttachFile) -> None:
    counted = await unit.execute(
        text(
            """
            select count(*) filter (where object_type = :type and object_id = :id) as of_object,
                   count(*) filter (where file = :file) as of_file
              from files.attachment
             where (object_type = :type and object_id = :id) or file = :file
            """
        ),
        {"type": params.to.type, "id": params.to.id, "file": params.file},
    )
    row = counted.one()
    if row.of_object >= MOST_AN_OBJECT or row.of_file >= MOST_A_FILE:
        raise TooMany(
            "too_many_attachments",
            "There are too many attachments already: take some away first.",
            {"most": MOST_AN_OBJECT if row.of_object >= MOST_AN_OBJECT else MOST_A_FILE},
        )


def _scope(title: Title) -> str:
    return f"{title.municipality}/{title.trade}"


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def no_file() -> NotFound:
    """There is none, or none for this person."""
    return NotFound("file_not_found", "There is no such file.")
