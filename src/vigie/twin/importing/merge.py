"""From the staging table to the registry: a few statements, whatever the number of rows."""

from typing import Any

from sqlalchemy import Row, text

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.geofiles import ImportReport
from vigie.core.journal import Change
from vigie.twin import rules
from vigie.twin.importing.corrections import keep_corrections
from vigie.twin.importing.rows import COLUMNS
from vigie.twin.kinds import Kind

CREATE = (
    "create temp table stage_asset ("
    + ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    + ", parent int, asset int, differs bool, overridden jsonb) on commit drop"
)
_TOLD = (
    "source_id", "name", "municipality", "street", "lon", "lat", "parent", "feeder", "installed",
    "commissioned", "retired", "manufacturer", "model", "attributes", "overridden",
)  # fmt: skip
_COPIED = (
    "name", "municipality", "municipality_given", "street", "street_given", "lon", "lat", "feeder",
    "installed", "commissioned", "retired", "manufacturer", "model", "digest",
)  # fmt: skip


async def merge(unit: Unit, kind: Kind, report: ImportReport, *, parents: bool) -> None:
    """Tell rows apart, resolve parents, count; write when this is no dry run."""
    await _identify(unit, report)
    await unit.execute(text("create index on stage_asset (source_id)"))
    await unit.execute(text("analyze stage_asset"))
    if parents:
        await _resolve_parents(unit, kind, report)
    if not report.dry_run:
        await _lock(unit, kind, report)
    await _compare(unit, kind, report, parents=parents)
    kept = await keep_corrections(unit, report) if report.changed else 0
    if report.dry_run or not (report.created or report.changed):
        return
    before = await _before(unit) if report.changed else {}
    await _write(unit, kind, report)
    changes = await _changes(unit, before, kind)
    await journal.record(
        unit,
        "twin.equipment_imported",
        params={
            "file": report.file,
            "kind": kind.name,
            "source": report.source,
            "created": report.created,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "refused": report.refused,
        }
        | ({"kept": kept} if kept else {}),
        changes=changes,
    )


async def _identify(unit: Unit, report: ImportReport) -> None:
    # Twins at one place keep their order: by exact position, then content, then line.
    await unit.execute(
        text(
            "update stage_asset s set source_id = k.place_key"
            " || case when k.n > 1 then '~' || k.n else '' end,"
            " folded = trim(s.folded || ' ' || k.place_key)"
            " from (select ctid as row, place_key, row_number() over"
            "  (partition by place_key order by lon, lat, digest, line) as n"
            "  from stage_asset where source_id = '') k where s.ctid = k.row"
        )
    )
    twice = await unit.execute(
        text(
            "delete from stage_asset s using (select ctid as row, line, source_id, row_number()"
            " over (partition by source_id order by line) as n,"
            " first_value(line) over (partition by source_id order by line) as first"
            " from stage_asset) t where s.ctid = t.row and t.n > 1"
            " returning s.line, s.source_id, t.first"
        )
    )
    for row in twice.all():
        report.refuse(row.line, "twice", f"{row.source_id} is already on line {row.first}")


async def _resolve_parents(unit: Unit, kind: Kind, report: ImportReport) -> None:
    await unit.execute(
        text(
            "update stage_asset s set parent = p.id from ("
            " select s.source_id, (array_agg(a.id order by (a.source = :source) desc, a.id))[1]"
            "  as id, count(*) filter (where a.source = :source) as own, count(*) as n"
            " from stage_asset s join twin.asset a on a.source_id = s.parent_ref"
            "  and a.kind = any(:kinds) where s.parent_ref <> '' group by s.source_id) p"
            " where s.source_id = p.source_id and (p.n = 1 or p.own = 1)"
        ),
        {"source": report.source, "kinds": list(kind.parents)},
    )
    lost = await unit.execute(
        text(
            "select s.line, s.parent_ref, a.parent is not null as has_one from stage_asset s"
            " left join twin.asset a on a.source = :source and a.source_id = s.source_id"
            " where s.parent_ref <> '' and s.parent is null order by s.line"
        ),
        {"source": report.source},
    )
    of = " or ".join(kind.parents) or "(none may feed this kind)"
    for row in lost.all():
        stays = "; the one it has stays" if row.has_one else ""
        report.warn(row.line, "parent", f"its parent {row.parent_ref!r} is no known {of}{stays}")


async def _lock(unit: Unit, kind: Kind, report: ImportReport) -> None:
    """Hold what may be written before it is read: a correction made meanwhile is not overwritten
    but waited for, and who corrects later is told that the asset changed."""
    await unit.execute(
        text(
            "select a.id from twin.asset a join stage_asset s on s.source_id = a.source_id"
            " where a.source = :source and a.kind = :kind"
            " and (a.digest is distinct from s.digest"
            "  or s.parent is not null and s.parent is distinct from a.parent)"
            " order by a.id for update of a"
        ),
        {"source": report.source, "kind": kind.name},
    )


async def _compare(unit: Unit, kind: Kind, report: ImportReport, *, parents: bool) -> None:
    # The parent as the source knew it; where it says none that is known, that one stays.
    then = (
        "case when jsonb_exists(a.overridden, 'parent')"
        " then cast(a.overridden ->> 'parent' as int) else a.parent end"
    )
    cleared = "s.parent_ref = '' and a.digest is distinct from s.digest" if parents else "false"
    await unit.execute(
        text(
            "update stage_asset s set asset = a.id,"  # noqa: S608
            " differs = a.digest is distinct from s.digest"
            f"  or (s.parent is not null and s.parent is distinct from {then}),"
            f" parent = case when {cleared} then null else coalesce(s.parent, {then}) end"
            " from twin.asset a where a.source = :source and a.source_id = s.source_id"
            " and a.kind = :kind"
        ),
        {"source": report.source, "kind": kind.name},
    )
    others = await unit.execute(
        text(
            "delete from stage_asset s using twin.asset a where s.asset is null"
            " and a.source = :source and a.source_id = s.source_id"
            " returning s.line, s.source_id, a.kind"
        ),
        {"source": report.source},
    )
    for row in others.all():
        report.refuse(row.line, "other_kind", f"{row.source_id} is a {row.kind} already")
    counts = (
        await unit.execute(
            text(
                "select count(*) filter (where asset is null) as created,"
                " count(*) filter (where differs) as changed,"
                " count(*) filter (where not differs) as unchanged,"
                " (select count(*) from twin.asset a where a.source = :source and a.kind = :kind"
                "  and a.retired is null and not exists"
                "  (select 1 from stage_asset s where s.source_id = a.source_id)) as missing"
                " from stage_asset"
            ),
            {"source": report.source, "kind": kind.name},
        )
    ).one()
    report.created, report.changed = counts.created, counts.changed
    report.unchanged, report.missing = counts.unchanged, counts.missing


async def _before(unit: Unit) -> dict[int, dict[str, Any]]:
    rows = await unit.execute(
        text(
            f"select a.id, {', '.join('a.' + c for c in _TOLD)}"  # noqa: S608
            " from twin.asset a join stage_asset s on s.asset = a.id where s.differs"
        )
    )
    return {row.id: _told(row) for row in rows.all()}


async def _write(unit: Unit, kind: Kind, report: ImportReport) -> None:
    columns = ", ".join(_COPIED)
    await unit.execute(
        text(
            "with made as ("  # noqa: S608
            " insert into twin.asset (token, kind, trade, source, source_id, folded, mercator,"
            f" parent, attributes, {columns})"
            " select token, :kind, :trade, :source, source_id, folded || ' ' || lower(token),"
            f" point(x, y), parent, cast(attributes as jsonb), {columns}"
            " from stage_asset where asset is null order by line returning id, source_id)"
            " update stage_asset s set asset = made.id from made"
            " where made.source_id = s.source_id"
        ),
        {"kind": kind.name, "trade": kind.trade, "source": report.source},
    )
    if report.changed:
        assigned = ", ".join(f"{c} = s.{c}" for c in _COPIED)
        await unit.execute(
            text(
                f"update twin.asset a set {assigned},"  # noqa: S608
                " folded = s.folded || ' ' || lower(a.token), mercator = point(s.x, s.y),"
                " parent = s.parent, overridden = coalesce(s.overridden, a.overridden),"
                " attributes = cast(s.attributes as jsonb), version = a.version + 1,"
                " updated = vigie.now() from stage_asset s where s.asset = a.id and s.differs"
            )
        )
        await unit.execute(
            text("delete from twin.word w using stage_asset s"
                 " where w.asset = s.asset and s.differs")
        )  # fmt: skip
    await unit.execute(
        text(
            "insert into twin.word (word, asset, municipality, trade)"
            " select distinct w.word, a.id, a.municipality, a.trade"
            " from stage_asset s join twin.asset a on a.id = s.asset,"
            " lateral unnest(string_to_array(a.folded, ' ')) w(word)"
            " where s.differs is not false and w.word <> ''"
        )
    )
    await compact_tally(unit)


async def _changes(unit: Unit, before: dict[int, dict[str, Any]], kind: Kind) -> list[Change]:
    rows = await unit.execute(
        text(
            f"select a.id, a.token, {', '.join('a.' + c for c in _TOLD)}"  # noqa: S608
            " from twin.asset a join stage_asset s on s.asset = a.id"
            " where s.differs is not false order by s.line"
        )
    )
    changes: list[Change] = []
    for row in rows.all():
        after: dict[str, Any] = _told(row)
        known = before.get(row.id)
        if known is None:
            old = None
            after = {"kind": kind.name, "token": row.token} | {
                k: v for k, v in after.items() if v not in (None, "", {})
            }
        else:
            old, after = rules.differences(known, after)
        moved_from = known["municipality"] if known else row.municipality
        scope = rules.scope_key(kind.trade, moved_from, row.municipality)
        changes.append(Change("twin.asset", str(row.id), old, after, scope))
    return changes


def _told(row: Row[Any]) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in _TOLD}
    for day in ("installed", "commissioned", "retired"):
        told[day] = told[day].isoformat() if told[day] else None
    return told


async def compact_tally(unit: Unit) -> None:
    """Put the sums of changes together."""
    await unit.execute(
        text(
            "with gone as (delete from twin.tally returning *)"
            " insert into twin.tally select municipality, trade, kind, sum(n) from gone"
            " group by 1, 2, 3 having sum(n) <> 0"
        )
    )
