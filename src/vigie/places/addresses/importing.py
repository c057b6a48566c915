"""Addresses from BAN's CSV (adresse.data.gouv.fr), or another file with such columns: streamed,
all or nothing, twice without change; what people corrected stays. See docs/import.md."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Database, Unit
from vigie.core.errors import Invalid, TooLarge
from vigie.core.geofiles import (
    POSITION,
    Batch,
    GeoFile,
    ImportReport,
    Mapping,
    Progress,
    check_columns,
    load_mapping,
    open_geofile,
    refuse_fault,
    text_of,
)
from vigie.core.geometry import mercator
from vigie.core.scope import SYSTEM, Principal
from vigie.core.text import fold
from vigie.places import service
from vigie.places.addresses import keeping, rules
from vigie.places.addresses.service import FIELDS, follow_file
from vigie.places.locate import Locator

TARGETS = ("source_id", "number", "suffix", "street", "postcode", "municipality")
MOST_ROWS = 2_000_000
_USUAL = {
    "source_id": ("id", "cle interop", "uid adresse", "source id"),
    "number": ("numero", "number", "housenumber", "num"),
    "suffix": ("rep", "suffixe", "repetition", "suffix"),
    "street": ("nom voie", "voie nom", "street", "voie", "rue"),
    "postcode": ("code postal", "postcode", "cp"),
    "municipality": ("code insee", "commune insee", "insee", "citycode"),
    "lon": ("lon", "long", "longitude"),
    "lat": ("lat", "latitude"),
}
_NEEDED = ("number", "street")
_LONGEST = 300
_STAGED = (
    "line", "source_id", "number", "suffix", "street", "folded", "insee", "postcode", "lon", "lat",
    "x", "y", "digest",
)  # fmt: skip
_TYPES = ["int4", "text", "int4", "text", "text", "text", "text", "text", "float8", "float8",
          "float8", "float8", "bytea"]  # fmt: skip


async def import_addresses(
    database: Database,
    file: Path,
    *,
    mapping: Mapping | Path | None = None,
    encoding: str = "",
    source: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
    principal: Principal = SYSTEM,
) -> ImportReport:
    """Import the addresses of the territory's municipalities; others of the file are left out.

    Raises Invalid or TooLarge when the file or the mapping cannot be used.
    """
    started = time.monotonic()
    if isinstance(mapping, Path):
        mapping = load_mapping(mapping, (*TARGETS, *POSITION))
    report = ImportReport(file.name, "addresses", dry_run=dry_run)
    async with database.unit(principal) as unit:
        territory = await service.read_territory(unit)
        if not territory.municipalities:
            raise Invalid(
                "addresses_territory",
                "Install the territory first: addresses belong to its municipalities.",
            )
        options = (mapping or Mapping(columns={"lon": "lon", "lat": "lat"})).options("", encoding)
        opening = open_geofile(file, options, near=territory.bbox, place=territory.name)
        opened = await asyncio.to_thread(opening.__enter__)
        try:
            mapping = _mapping(mapping, opened, file.name)
            report.source = source or mapping.source.name or "ban"
            report.crs, report.encoding = opened.crs, opened.encoding
            report.notes += opened.notes
            await _stage(unit, opened, mapping, report, progress)
        finally:
            opening.__exit__(None, None, None)
        await _merge(unit, report)
    report.seconds = time.monotonic() - started
    return report


def _mapping(given: Mapping | None, opened: GeoFile, name: str) -> Mapping:
    if given is not None:
        check_columns(given, opened.fields, name)
        return given
    folded = {fold(f): f for f in reversed(opened.fields)}
    columns = {
        target: folded[next(u for u in usual if u in folded)]
        for target, usual in _USUAL.items()
        if any(u in folded for u in usual)
    }
    missing = [target for target in _NEEDED if target not in columns]
    if missing:
        raise Invalid(
            "addresses_columns",
            f"No column of {name} is known to hold the {missing[0]}: write a mapping with "
            f'[columns] {missing[0]} = "…". Its columns are {", ".join(opened.fields[:40])}.',
            {"file": name, "columns": opened.fields[:200]},
        )
    return Mapping(columns=columns)


async def _stage(
    unit: Unit, opened: GeoFile, mapping: Mapping, report: ImportReport, progress: Progress | None
) -> None:
    await unit.execute(
        text(
            "create temp table stage_address (line int, source_id text, number int, suffix text,"
            " street text, folded text, insee text, postcode text, lon float8, lat float8,"
            " x float8, y float8, digest bytea) on commit drop"
        )
    )
    where = await service.locator(unit)
    raw = await unit.raw()
    copy = f"copy stage_address ({', '.join(_STAGED)}) from stdin (format binary)"
    elsewhere = staged = 0
    batches = opened.batches(mapping.wanted())
    async with raw.cursor() as cursor, cursor.copy(copy) as writer:
        writer.set_types(_TYPES)
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            rows, others = await asyncio.to_thread(_rows, batch, mapping, where, report)
            elsewhere += others
            staged += len(rows)
            if staged > MOST_ROWS:
                raise TooLarge(
                    "addresses_too_many",
                    f"{report.file} holds more than {MOST_ROWS:,} addresses of the territory.",
                    {"limit": MOST_ROWS},
                )
            for row in rows:
                await writer.write_row(row)
            if progress:
                progress(report.read, opened.count)
    if elsewhere:
        report.notes.append(f"{elsewhere:,} addresses of other municipalities were left out.")


def _rows(
    batch: Batch, mapping: Mapping, where: Locator, report: ImportReport
) -> tuple[list[tuple[Any, ...]], int]:
    """The rows of a batch that are addresses of the territory, and how many lie elsewhere."""
    report.read += len(batch)
    columns = {t: batch.columns[c] for t, c in mapping.columns.items() if c in batch.columns}
    # A row without a place stands in the middle of nowhere until it is refused.
    shapes = batch.geometry.copy()
    shapes[shapely.is_missing(shapes)] = shapely.Point(0, 0)
    centres = shapely.get_coordinates(shapely.point_on_surface(shapes))
    places = np.round(centres, 6)
    east, north = mercator(places[:, 0], places[:, 1])
    located: Sequence[str] | None = None
    elsewhere = 0
    rows: list[tuple[Any, ...]] = []
    for i, line in enumerate(batch.lines):
        cells = {t: text_of(values[i]).strip() for t, values in columns.items()}
        given = cells.get("municipality", "")
        code = where.code(given) if given else None
        if given and code is None:
            elsewhere += 1
            continue
        if batch.geometry[i] is None:
            refuse_fault(report, batch, i)
            continue
        if code is None:
            if located is None:
                located = [str(c) for c in where.locate(places[:, 0], places[:, 1])]
            code = located[i]
        if not code:
            elsewhere += 1
            continue
        fault = _fault(cells)
        if fault is not None:
            report.refuse(line, *fault)
            continue
        rows.append(_row(line, cells, code, places[i], float(east[i]), float(north[i])))
    return rows, elsewhere


@lru_cache(maxsize=10_000)
def _folded(street: str) -> str:
    """A file names each street once for every house."""
    return fold(street)


def _fault(cells: dict[str, str]) -> tuple[str, str] | None:
    """Why a row is no address: a code and words."""
    number = cells.get("number", "")
    if not (number.isascii() and number.isdigit() and int(number) <= rules.LONGEST_NUMBER):
        return "number", f"its number {number[:20]!r} is no house number"
    if not _folded(cells.get("street", "")):
        return "no_street", "it names no street"
    if any(len(value) > _LONGEST for value in cells.values()):
        return "too_long", f"a text is over {_LONGEST} characters"
    return None


def _row(
    line: int, cells: dict[str, str], code: str, place: Any, x: float, y: float
) -> tuple[Any, ...]:
    number, suffix = int(cells["number"]), rules.read_suffix(cells.get("suffix", ""))
    street, postcode = cells["street"], cells.get("postcode", "")[:10]
    lon, lat = float(place[0]), float(place[1])
    folded = _folded(street)
    content = msgspec.json.encode([number, suffix, street, code, postcode, lon, lat])
    own = f"{code}/{folded}/{number}/{suffix}".encode()
    source_id = cells.get("source_id") or "a-" + hashlib.blake2b(own, digest_size=9).hexdigest()
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return (
        line, source_id, number, suffix, street, folded, code, postcode, lon, lat, x, y, digest,
    )  # fmt: skip


async def _merge(unit: Unit, report: ImportReport) -> None:
    twice = await unit.execute(
        text(
            "delete from stage_address s using (select ctid, row_number() over"
            " (partition by source_id order by line) as n from stage_address) t"
            " where s.ctid = t.ctid and t.n > 1 returning s.line, s.source_id"
        )
    )
    for row in twice.all():
        report.refuse(row.line, "twice", f"{row.source_id} is in the file already")
    await unit.execute(text("analyze stage_address"))
    counts = (
        await unit.execute(
            text(
                "select count(*) filter (where o.id is null) as created,"
                " count(*) filter (where o.digest <> s.digest) as changed,"
                " count(*) filter (where o.digest = s.digest) as unchanged,"
                " (select count(*) from places.address o where o.source = :source and not exists"
                "  (select 1 from stage_address s where s.source_id = o.source_id)) as missing"
                " from stage_address s left join places.address o"
                " on o.source = :source and o.source_id = s.source_id"
            ),
            {"source": report.source},
        )
    ).one()
    report.created, report.changed = counts.created, counts.changed
    report.unchanged, report.missing = counts.unchanged, counts.missing
    if not (report.created or report.changed):
        return
    corrected = (await unit.execute(_CORRECTED, {"source": report.source})).all()
    for row in corrected:
        for name in FIELDS:
            if name in row.corrected and row.corrected[name] != _value(row, name):
                report.warn(row.line, "corrected", f"{row.source_id}: a person's {name} stays")
    if report.dry_run:
        return
    await unit.execute(_UPSERT, {"source": report.source})
    for row in corrected:
        await follow_file(unit, row.id, {name: _value(row, name) for name in FIELDS}, row.digest)
    await keeping.touch(unit)
    await journal.record(
        unit,
        "places.addresses_imported",
        params={
            "file": report.file,
            "source": report.source,
            "created": report.created,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "refused": report.refused,
        },
    )


def _value(row: Any, name: str) -> Any:
    return [row.lon, row.lat] if name == "point" else getattr(row, name)


# What a person corrected and the file changed: handled one by one, there are few.
_CORRECTED = text(
    """
    select o.id, o.corrected, s.line, s.source_id, s.number, s.suffix, s.street, s.postcode, s.lon,
        s.lat, s.digest
    from stage_address s
    join places.address o on o.source = :source and o.source_id = s.source_id
    where o.digest <> s.digest and o.corrected <> '{}'
    order by o.id
    for update of o
    """
)
_UPSERT = text(
    """
    insert into places.address as o (source, source_id, number, suffix, street, folded, insee,
        postcode, lon, lat, mercator, digest)
    select :source, source_id, number, suffix, street, folded, insee, postcode, lon, lat,
        point(x, y), digest
    from stage_address order by line
    on conflict (source, source_id) do update set number = excluded.number,
        suffix = excluded.suffix, street = excluded.street, folded = excluded.folded,
        insee = excluded.insee, postcode = excluded.postcode, lon = excluded.lon,
        lat = excluded.lat, mercator = excluded.mercator, digest = excluded.digest,
        version = o.version + 1
    where o.digest <> excluded.digest and o.corrected = '{}'
    """
)
