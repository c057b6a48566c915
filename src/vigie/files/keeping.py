"""Keeping what was uploaded: quotas, content to its place, then the rows, in one transaction."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.database import Unit
from vigie.core.errors import TooLarge, Unavailable
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.settings import Settings
from vigie.files import rules
from vigie.files.model import OBJECT, Checked, FileView, Part, Size, Uploaded
from vigie.files.sniff import sniff
from vigie.files.store import Store

ALL = "all"
# What the disk keeps for the databases beside it.
_KEEP_FREE = 1_000_000_000


def store_of(settings: Settings) -> Store:
    """The folder of this installation's content."""
    return Store(settings.root / "files")


def holder_of(unit: Unit) -> str:
    """Whose quota counts; empty for the platform itself."""
    person = owner_of(unit)
    return f"user:{person}" if person else ""


def owner_of(unit: Unit) -> UUID | None:
    """The person behind a principal."""
    principal = unit.principal
    return principal.owner or principal.id if principal.kind in ("user", "token") else None


async def demand_room(unit: Unit, settings: Settings, store: Store, declared: int) -> int:
    """Refuse an upload that cannot fit, before it is read; the bytes that there are room for.

    `declared` is 0 when the request does not say.

    Raises TooLarge over a quota, Unavailable when the disk is nearly full.
    """
    rows = await unit.execute(
        text("select holder, bytes from files.usage where holder in (:holder, :all)"),
        {"holder": holder_of(unit), "all": ALL},
    )
    free = await asyncio.to_thread(store.free) - _KEEP_FREE
    left = [free, settings.files_person_bytes, settings.files_total_bytes]
    for row in rows:
        _demand_quota(settings, row.holder, row.bytes + declared)
        most = settings.files_total_bytes if row.holder == ALL else settings.files_person_bytes
        left.append(most - row.bytes)
    if free < declared:
        raise Unavailable("files_disk_full", "The disk is nearly full: no more files are taken.")
    return max(0, min(left))


async def keep(
    unit: Unit, settings: Settings, store: Store, checked: Sequence[Checked]
) -> list[Uploaded]:
    """Keep checked files: content to its place, then the rows, in the caller's transaction.

    Raises TooLarge over a quota; nothing is kept then.
    """
    parts = {part.sha256: part for file in checked for part in file.parts}
    await lock_content(unit, parts)
    for sha256, part in sorted(parts.items()):
        await asyncio.to_thread(store.place, part.path, sha256)
    now = clock.now()
    rows = await unit.execute(
        text(
            """
            insert into files.content (sha256, bytes, stored)
            select sha256, bytes, :now
              from unnest(cast(:hashes as text[]), cast(:sizes as bigint[])) as new(sha256, bytes)
            on conflict (sha256) do nothing
            returning bytes
            """
        ),
        {"now": now, "hashes": list(parts), "sizes": [p.bytes for p in parts.values()]},
    )
    fresh = sum(rows.scalars())
    kept = [await _insert(unit, file) for file in checked]
    held = sum(part.bytes for file in checked for part in file.parts)
    if holder := holder_of(unit):
        await count_usage(unit, holder, held, len(checked), settings)
    await count_usage(unit, ALL, fresh, len(checked), settings)
    return kept


async def keep_document(unit: Unit, settings: Settings, name: str, body: bytes) -> FileView:
    """Keep a document that a room made (a PDF) as a file, to be attached in the same transaction.

    Raises Invalid when it is of no type that is taken, TooLarge over a quota.
    """
    store = store_of(settings)
    workspace = await asyncio.to_thread(store.workspace)
    try:
        part = await asyncio.to_thread(_written, workspace / "0", name, body)
        name, corrected = rules.named(name, part.media_type)
        checked = Checked(
            name=name,
            media_type=part.media_type,
            parts=[part],
            state="ready",
            scan="not_scanned",
            evidence=False,
            corrected=corrected,
        )
        return (await keep(unit, settings, store, [checked]))[0].file
    finally:
        await asyncio.to_thread(shutil.rmtree, workspace, True)


def _written(path: Path, name: str, body: bytes) -> Part:
    with path.open("xb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    return Part("content", path, hashlib.sha256(body).hexdigest(), len(body), sniff(path, name))


async def lock_content(unit: Unit, hashes: Collection[str]) -> None:
    """Whoever places content and whoever sweeps it take turns, until the transaction ends."""
    await unit.execute(
        text(
            """
            select pg_advisory_xact_lock(hashtextextended('files.content ' || sha256, 0))
              from unnest(cast(:hashes as text[])) as sha256
            """
        ),
        {"hashes": sorted(hashes)},
    )


async def count_usage(
    unit: Unit, holder: str, size: int, files: int, settings: Settings | None = None
) -> None:
    """Add to what a holder has. With settings, raises TooLarge when that is over their quota."""
    found = await unit.execute(
        text(
            """
            insert into files.usage as usage (holder, bytes, files)
            values (:holder, :bytes, :files)
            on conflict (holder) do update
               set bytes = usage.bytes + excluded.bytes, files = usage.files + excluded.files
            returning bytes
            """
        ),
        {"holder": holder, "bytes": size, "files": files},
    )
    if settings is not None:
        _demand_quota(settings, holder, found.scalar_one())


async def _insert(unit: Unit, file: Checked) -> Uploaded:
    id_, now = uuid7(), clock.now()
    size = next(p.bytes for p in file.parts if p.kind in ("content", "quarantined"))
    await unit.execute(
        text(
            """
            insert into files.file (id, name, media_type, bytes, width, height, state, scan,
                                    threat, evidence, owner, created, loose_since)
            values (:id, :name, :media_type, :bytes, :width, :height, :state, :scan,
                    :threat, :evidence, :owner, :now, :now)
            """
        ),
        {
            "id": id_,
            "name": file.name,
            "media_type": file.media_type,
            "bytes": size,
            "width": file.width,
            "height": file.height,
            "state": file.state,
            "scan": file.scan,
            "threat": file.threat,
            "evidence": file.evidence,
            "owner": owner_of(unit),
            "now": now,
        },
    )
    await unit.execute(
        text(
            """
            insert into files.rendition (file, kind, sha256, media_type)
            select :id, kind, sha256, media_type
              from unnest(cast(:kinds as text[]), cast(:hashes as text[]), cast(:types as text[]))
                   as new(kind, sha256, media_type)
            """
        ),
        {
            "id": id_,
            "kinds": [p.kind for p in file.parts],
            "hashes": [p.sha256 for p in file.parts],
            "types": [p.media_type for p in file.parts],
        },
    )
    # The hashes are sealed with the journal: what is shown as evidence later is what came in.
    await journal.record(
        unit,
        "files.quarantined" if file.state == "quarantined" else "files.uploaded",
        params={"bytes": size, "media_type": file.media_type, "threat": file.threat},
        personal={"name": file.name},
        changes=[
            Change(
                OBJECT,
                str(id_),
                None,
                {p.kind: p.sha256 for p in file.parts if p.kind not in ("small", "large")},
            )
        ],
    )
    sizes: list[Size] = [p.kind for p in file.parts if p.kind in ("small", "large")]  # type: ignore[misc]
    view = FileView(
        id_, file.name, file.media_type, size, file.width, file.height, file.state, file.scan,
        file.evidence, now, sizes,
    )  # fmt: skip
    return Uploaded(view, file.corrected, file.suggestions)


def _demand_quota(settings: Settings, holder: str, size: int) -> None:
    if holder == ALL and size > settings.files_total_bytes:
        raise TooLarge(
            "files_total_full",
            "This installation's files take all the room they may: an administrator can give more "
            "(VIGIE_FILES_TOTAL_BYTES).",
        )
    if holder != ALL and size > settings.files_person_bytes:
        megabytes = settings.files_person_bytes / 1_000_000
        raise TooLarge(
            "files_quota_full",
            f"Your files would take more than the {megabytes:g} MB that a person may have: take "
            "some away first.",
            {"megabytes": megabytes},
        )
