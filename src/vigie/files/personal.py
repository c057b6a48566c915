"""A person's files for those who ask what is kept of them, and their erasure."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.errors import Invalid
from vigie.core.journal import Change
from vigie.files.model import OBJECT


async def export(unit: Unit, subject: str) -> list[dict[str, Any]]:
    """The files that a person ("user:<id>") uploaded, with their captions."""
    rows = await unit.execute(
        text(
            """
            select f.id, f.name, f.media_type, f.bytes, f.created, f.evidence,
                   array(select a.caption from files.attachment a
                          where a.file = f.id and a.caption <> '') as captions
              from files.file f where f.owner = :owner order by f.id
            """
        ),
        {"owner": _person(subject)},
    )
    return [
        {
            "id": str(row.id),
            "name": row.name,
            "media_type": row.media_type,
            "bytes": row.bytes,
            "created": row.created,
            "evidence": row.evidence,
            "captions": list(row.captions),
        }
        for row in rows
    ]


async def erase(unit: Unit, subject: str) -> int:
    """Forget who uploaded what: files that belong to an object stay with it, without the person
    and without the name they gave; the others go with the next sweep. How many there were."""
    person = _person(subject)
    rows = await unit.execute(
        text(
            """
            update files.file
               set owner = null, name = regexp_replace(name, '^.*([.][a-z0-9]+)$', 'file\\1'),
                   loose_since = case when loose_since is null then null
                                      else timestamptz '2000-01-01' end
             where owner = :owner
            returning id
            """
        ),
        {"owner": person},
    )
    files = list(rows.scalars())
    await unit.execute(
        text("update files.attachment set created_by = null where created_by = :owner"),
        {"owner": person},
    )
    await unit.execute(
        text("delete from files.usage where holder = :holder"), {"holder": f"user:{person}"}
    )
    if files:
        await journal.record(
            unit,
            "files.personal_erased",
            params={"count": len(files)},
            changes=[
                Change(OBJECT, str(file), None, {"erased": ["name", "owner"]}) for file in files
            ],
        )
    return len(files)


def _person(subject: str) -> UUID:
    kind, _, person = subject.partition(":")
    try:
        if kind != "user":
            raise ValueError(subject)
        return UUID(person)
    except ValueError as error:
        raise Invalid("subject_unknown", "Name a person as user:<id>.") from error
