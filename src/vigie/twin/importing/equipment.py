"""`vigie import equipment`: one file, one kind, one act."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy import text

from vigie import places
from vigie.core.database import Unit
from vigie.core.errors import Invalid
from vigie.core.geofiles import (
    POSITION,
    Batch,
    GeoFile,
    ImportReport,
    Mapping,
    Progress,
    check_columns,
    check_targets,
    load_mapping,
    open_geofile,
)
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM, Principal
from vigie.twin import kinds
from vigie.twin.importing.merge import CREATE, merge
from vigie.twin.importing.rows import COLUMNS, DATES, TEXTS, RowMaker
from vigie.twin.kinds import Kind

TARGETS = ("source_id", "municipality", "parent", *TEXTS, *DATES, *POSITION)


async def import_equipment(
    runtime: Runtime,
    file: Path,
    *,
    kind: str = "",
    mapping: Mapping | Path | None = None,
    crs: str = "",
    encoding: str = "",
    layer: str = "",
    source: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
    principal: Principal = SYSTEM,
) -> ImportReport:
    """Import equipment of one kind, all or nothing; the same file again changes nothing.

    What is said here wins over the mapping. `source` is the namespace of the file's ids (default:
    the kind). Objects missing from the file are kept. Raises Invalid or TooLarge when the file or
    the mapping cannot be used; rows that cannot be are refused in the report.
    """
    started = time.monotonic()
    if isinstance(mapping, Path):
        mapping = load_mapping(mapping, TARGETS)
    mapping = mapping or Mapping()
    check_targets(mapping, TARGETS, "the mapping")
    declared = _kind(kind, mapping)
    report = ImportReport(file.name, declared.name, dry_run=dry_run)
    report.source = source or mapping.source.name or declared.name
    async with runtime.database.unit(principal) as unit:
        territory = await places.read_territory(unit)
        if not territory.code:
            report.notes.append("No territory is installed: nothing is in any municipality.")
        opening = open_geofile(
            file,
            mapping.options(crs, encoding, layer),
            near=territory.bbox,
            place=territory.name,
        )
        opened = await asyncio.to_thread(opening.__enter__)
        try:
            check_columns(mapping, opened.fields, file.name)
            report.crs, report.encoding = opened.crs, opened.encoding
            report.notes += opened.notes
            await _stage(unit, opened, mapping, report, progress)
        finally:
            opening.__exit__(None, None, None)
        await merge(unit, declared, report, parents="parent" in mapping.columns)
    report.seconds = time.monotonic() - started
    return report


def _kind(given: str, mapping: Mapping) -> Kind:
    if given and mapping.kind and given != mapping.kind:
        raise Invalid(
            "mapping_kind",
            f"--kind is {given}, the mapping is for {mapping.kind}: use one or the other.",
            {"kind": given, "mapping": mapping.kind},
        )
    declared = kinds.kind(given or mapping.kind)
    if declared is None:
        raise Invalid(
            "kind_unknown",
            f"{given or mapping.kind or 'No kind'} is no kind of equipment: use one of "
            f"{', '.join(kinds.kinds())} (--kind, or kind in the mapping).",
            {"kind": given or mapping.kind, "kinds": list(kinds.kinds())},
        )
    return declared


async def _stage(
    unit: Unit, opened: GeoFile, mapping: Mapping, report: ImportReport, progress: Progress | None
) -> None:
    maker = RowMaker(mapping, await places.locator(unit), await places.streets(unit), report)
    await unit.execute(text(CREATE))
    raw = await unit.raw()
    copy = f"copy stage_asset ({', '.join(COLUMNS)}) from stdin (format binary)"
    async with raw.cursor() as cursor, cursor.copy(copy.encode()) as writer:
        writer.set_types(list(COLUMNS.values()))
        async for batch in _ahead(opened, mapping.wanted()):
            for row in await asyncio.to_thread(maker.rows, batch):
                await writer.write_row(row)
            if progress:
                progress(report.read, opened.count)
    if maker.outside * 2 > report.read > 0:
        report.notes.append(
            f"{maker.outside} of {report.read} positions lie outside the territory: is the "
            f"reference system {opened.crs} right (--crs), and this the right territory?"
        )


async def _ahead(opened: GeoFile, columns: Sequence[str]) -> AsyncIterator[Batch]:
    """Batches read in a thread."""
    batches = opened.batches(columns)
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        yield batch
