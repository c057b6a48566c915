"""Streets and contours from files. See docs/import.md."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Database, Unit
from vigie.core.errors import Invalid
from vigie.core.geofiles import (
    POSITION,
    Batch,
    GeoFile,
    ImportReport,
    Mapping,
    Progress,
    ReadOptions,
    attribute_of,
    check_columns,
    is_inexact,
    load_mapping,
    open_geofile,
    refuse_fault,
    text_of,
)
from vigie.core.geometry import length_m
from vigie.core.journal import Change
from vigie.core.scope import SYSTEM, Principal
from vigie.core.text import fold
from vigie.places import service
from vigie.places.locate import Locator
from vigie.places.osm import OsmFile, is_pbf
from vigie.places.roads.rules import PLAIN, TRAITS, Traits, traits_of

TARGETS = ("source_id", "name", "municipality", *TRAITS)
_USUAL = {
    "name": ("name", "nom", "lib off", "libelle", "nom voie", "nom rue", "nomvoie", "lib voie",
             "nom complet", "street name", "street", "voie", "rue", "nomvoi"),
    "source_id": ("id", "source id", "idarc", "gid", "objectid", "ogc fid", "osm id", "cleabs"),
    "municipality": ("insee", "code insee", "insee com", "codeinsee", "com insee"),
    "class": ("highway", "fclass", "class", "classe", "nature", "occupation", "road class"),
    "oneway": ("oneway", "one way", "sens circu", "sens de circulation", "sens circulation",
               "sens"),
    "maxspeed": ("maxspeed", "max speed", "vitesse max", "vitesse maximale", "vit max"),
    "layer": ("layer", "niveau", "pos sol", "position par rapport au sol"),
    "junction": ("junction",),
    "bridge": ("bridge",),
    "tunnel": ("tunnel",),
    "access": ("access",),
}  # fmt: skip
_NAME_LIMIT = 300


async def import_streets(
    database: Database,
    file: Path,
    *,
    mapping: Mapping | Path | None = None,
    crs: str = "",
    encoding: str = "",
    layer: str = "",
    source: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
    principal: Principal = SYSTEM,
) -> ImportReport:
    """Import street lines, all or nothing; the same file again changes nothing.

    Without a mapping the usual names of columns are tried. Raises Invalid or TooLarge when the
    file or the mapping cannot be used.
    """
    started = time.monotonic()
    if isinstance(mapping, Path):
        mapping = load_mapping(mapping, (*TARGETS, *POSITION))
    report = ImportReport(file.name, "streets", dry_run=dry_run)
    async with database.unit(principal) as unit:
        territory = await service.read_territory(unit)
        options = (mapping or Mapping()).options(crs, encoding, layer)
        opening = (
            contextlib.nullcontext(await asyncio.to_thread(OsmFile, file, territory.bbox))
            if is_pbf(file)
            else open_geofile(file, options, near=territory.bbox, place=territory.name)
        )
        opened = await asyncio.to_thread(opening.__enter__)
        try:
            mapping = _mapping(mapping, opened, file.name)
            report.source = source or mapping.source.name or ("osm" if is_pbf(file) else "streets")
            report.crs, report.encoding = opened.crs, opened.encoding
            report.notes += opened.notes
            await _stage(unit, opened, mapping, report, progress)
        finally:
            opening.__exit__(None, None, None)
        await _merge(unit, report)
    report.seconds = time.monotonic() - started
    return report


async def import_contours(
    database: Database, file: Path, *, key: str = "insee", principal: Principal = SYSTEM
) -> ImportReport:
    """Import the contours of the territory's municipalities, keyed by INSEE code."""
    started = time.monotonic()
    report = ImportReport(file.name, "contours", source="contours")
    async with database.unit(principal) as unit:
        territory = await service.read_territory(unit)
        where = await service.locator(unit)
        contours = await asyncio.to_thread(_contours, file, key, where, report)
        if not contours:
            raise Invalid(
                "contours_none",
                f"{file.name} holds no contour of a municipality of {territory.name or 'any'}: "
                "are its codes INSEE codes, and is the territory installed?",
                {"file": file.name},
            )
        report.changed = await service.store_contours(unit, contours)
        report.unchanged = len(contours) - report.changed
        if report.changed:
            await journal.record(
                unit,
                "places.contours_imported",
                params={"file": file.name, "changed": report.changed},
                changes=[
                    Change("places.municipality", code, None, {"contour": "set"})
                    for code in contours
                ],
            )
    report.seconds = time.monotonic() - started
    return report


def _contours(
    file: Path, key: str, where: Locator, report: ImportReport
) -> dict[str, shapely.Geometry]:
    found: dict[str, shapely.Geometry] = {}
    with open_geofile(file, ReadOptions(), near=where.bbox()) as opened:
        report.crs, report.encoding = opened.crs, opened.encoding
        column = {fold(f): f for f in opened.fields}.get(fold(key))
        if column is None:
            shown = ", ".join(opened.fields[:40])
            raise Invalid(
                "contours_key",
                f"{file.name} has no column {key!r} with the INSEE code; its columns are {shown}.",
                {"file": file.name, "columns": opened.fields[:200]},
            )
        for batch in opened.batches([column]):
            for i, line in enumerate(batch.lines):
                report.read += 1
                code = where.code(text_of(batch.columns[column][i]))
                shape = batch.geometry[i]
                if shape is None:
                    refuse_fault(report, batch, i)
                elif shape.geom_type not in ("Polygon", "MultiPolygon"):
                    report.refuse(line, "not_an_area", "it is not an area")
                elif code is None:
                    report.refuse(line, "not_of_here", "its municipality is not of the territory")
                else:
                    valid = shape if shape.is_valid else shapely.make_valid(shape)
                    known = found.get(code)
                    found[code] = valid if known is None else shapely.union(known, valid)
    return found


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
    if "name" not in columns:
        raise Invalid(
            "streets_name",
            f"No column of {name} is known to hold street names: write a mapping with "
            f'[columns] name = "…". Its columns are {", ".join(opened.fields[:40])}.',
            {"file": name, "columns": opened.fields[:200]},
        )
    return Mapping(columns=columns)


_STAGE_COLUMNS = (
    "line", "source_id", "name", "folded", "insee", "geometry", "bbox", "lon", "lat", "length_m",
    "kind", "oneway", "speed_limit", "layer", "attributes", "digest",
)  # fmt: skip


async def _stage(
    unit: Unit, opened: GeoFile, mapping: Mapping, report: ImportReport, progress: Progress | None
) -> None:
    await unit.execute(
        text(
            "create temp table stage_street (line int, source_id text, name text, folded text,"
            " insee text, geometry text, bbox float8[], lon float8, lat float8, length_m float8,"
            " kind text, oneway smallint, speed_limit float8, layer smallint,"
            " attributes text, digest bytea) on commit drop"
        )
    )
    where = await service.locator(unit)
    raw = await unit.raw()
    copy = f"copy stage_street ({', '.join(_STAGE_COLUMNS)}) from stdin (format binary)"
    async with raw.cursor() as cursor, cursor.copy(copy) as writer:
        writer.set_types(
            ["int4", "text", "text", "text", "text", "text", "float8[]", "float8", "float8",
             "float8", "text", "int2", "float8", "int2", "text", "bytea"]
        )  # fmt: skip
        async for batch in _ahead(opened, mapping.wanted()):
            for row in await asyncio.to_thread(_rows, batch, mapping, where, report):
                await writer.write_row(row)
            if progress:
                progress(report.read, opened.count)


async def _ahead(opened: GeoFile, columns: Sequence[str]) -> AsyncIterator[Batch]:
    """Batches read in a thread."""
    batches = opened.batches(columns)
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        yield batch


def _rows(
    batch: Batch, mapping: Mapping, where: Locator, report: ImportReport
) -> list[tuple[Any, ...]]:
    report.read += len(batch)
    kept: list[int] = []
    lines: list[Any] = []
    for i, shape in enumerate(batch.geometry):
        if shape is None:
            refuse_fault(report, batch, i)
            continue
        line = shapely.line_merge(shape) if shape.geom_type == "MultiLineString" else shape
        if line.geom_type not in ("LineString", "MultiLineString"):
            report.refuse(batch.lines[i], "not_a_line", f"it is a {line.geom_type}, not a line")
            continue
        kept.append(i)
        lines.append(line)
    rounded = np.asarray(
        shapely.transform(np.asarray(lines, dtype=object), lambda c: np.round(c, 6)), dtype=object
    )
    texts = shapely.to_geojson(rounded)
    bounds = shapely.bounds(rounded)
    middles = shapely.get_coordinates(shapely.line_interpolate_point(rounded, 0.5, normalized=True))
    insee = where.locate(middles[:, 0], middles[:, 1]) if len(kept) else []
    rows: list[tuple[Any, ...]] = []
    for k, i in enumerate(kept):
        cells = {t: text_of(batch.columns[c][i]) for t, c in mapping.columns.items()
                 if c in batch.columns}  # fmt: skip
        name = cells.get("name", "")
        source_id = cells.get("source_id", "")
        if "source_id" in cells and is_inexact(batch.columns[mapping.columns["source_id"]][i]):
            report.refuse(
                batch.lines[i],
                "inexact_id",
                f"its id {source_id[:60]} is a number that lost digits: write ids as text",
            )
            continue
        if len(name) > _NAME_LIMIT or len(source_id) > _NAME_LIMIT:
            report.refuse(batch.lines[i], "too_long", f"a text is over {_NAME_LIMIT} characters")
            continue
        given = where.code(cells["municipality"]) if cells.get("municipality") else None
        geometry = str(texts[k])
        attributes = {
            t: value for t, c in mapping.attributes.items()
            if (value := attribute_of(batch.columns[c][i])) is not None
        }  # fmt: skip
        place = given or str(insee[k])
        metres = sum(length_m(shapely.get_coordinates(p)) for p in shapely.get_parts(rounded[k]))
        traits = traits_of(cells)
        content = msgspec.json.encode(_content(name, place, geometry, attributes, traits),
                                      order="sorted")  # fmt: skip
        rows.append(
            (
                batch.lines[i],
                source_id or "g-" + hashlib.blake2b(geometry.encode(), digest_size=9).hexdigest(),
                name,
                fold(name),
                place,
                geometry,
                bounds[k].tolist(),
                float(middles[k, 0]),
                float(middles[k, 1]),
                metres,
                traits.kind,
                traits.oneway,
                traits.limit,
                traits.layer,
                msgspec.json.encode(attributes).decode(),
                hashlib.blake2b(content, digest_size=16).digest(),
            )
        )
    return rows


def _content(
    name: str, place: str, geometry: str, attributes: dict[str, Any], traits: Traits
) -> list[Any]:
    """What makes a street another one. Plain traits are left out: a file without any is not changed
    for what was imported before there were some."""
    content: list[Any] = [name, place, geometry, attributes]
    return content if traits == PLAIN else [*content, traits]


async def _merge(unit: Unit, report: ImportReport) -> None:
    twice = await unit.execute(
        text(
            "delete from stage_street s using (select ctid, row_number() over"
            " (partition by source_id order by line) as n from stage_street) t"
            " where s.ctid = t.ctid and t.n > 1 returning s.line, s.source_id"
        )
    )
    for row in twice.all():
        report.refuse(row.line, "twice", f"{row.source_id} is in the file already")
    await unit.execute(text("analyze stage_street"))
    counts = (
        await unit.execute(
            text(
                "select count(*) filter (where o.id is null) as created,"
                " count(*) filter (where o.digest <> s.digest) as changed,"
                " count(*) filter (where o.digest = s.digest) as unchanged,"
                " (select count(*) from places.street o where o.source = :source and not exists"
                "  (select 1 from stage_street s where s.source_id = o.source_id)) as missing"
                " from stage_street s left join places.street o"
                " on o.source = :source and o.source_id = s.source_id"
            ),
            {"source": report.source},
        )
    ).one()
    report.created, report.changed = counts.created, counts.changed
    report.unchanged, report.missing = counts.unchanged, counts.missing
    if report.dry_run or not (report.created or report.changed):
        return
    columns = ", ".join(_STAGE_COLUMNS[2:])
    values = columns.replace("attributes", "cast(attributes as jsonb)")
    excluded = ", ".join(f"{c} = excluded.{c}" for c in _STAGE_COLUMNS[2:])
    await unit.execute(
        text(
            f"insert into places.street as o (source, source_id, {columns})"  # noqa: S608
            f" select :source, source_id, {values} from stage_street order by line"
            f" on conflict (source, source_id) do update set {excluded}"
            " where o.digest <> excluded.digest"
        ),
        {"source": report.source},
    )
    await service.touch(unit)
    await journal.record(
        unit,
        "places.streets_imported",
        params={
            "file": report.file,
            "source": report.source,
            "created": report.created,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "refused": report.refused,
        },
    )
