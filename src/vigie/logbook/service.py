"""The log's verbs: each in the caller's unit of work, journal included."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text

from vigie.core import clock, journal, links, live, search
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, NotFound
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.objects import Ref, Title
from vigie.core.scope import scope_key
from vigie.core.states import step
from vigie.core.text import fold
from vigie.logbook import rules
from vigie.logbook.model import (
    ENTRY,
    SHIFT,
    Correction,
    LogEntry,
    LogShift,
    ShiftHandOver,
    WriteEntry,
)

T = TypeVar("T", bound=msgspec.Struct)
TOPIC = "logbook.entries"
_SHOWN = 200


async def write(unit: Unit, new: WriteEntry) -> LogEntry:
    """Add an entry to the open shift of its log. Raises Forbidden outside the caller's scope."""
    entry = await _add(unit, new, kind="unit" if new.unit else "hand", text_=new.text.strip())
    for ref in new.about:
        await links.link(unit, Ref("logbook.entry", str(entry.id)), ref, "concerns")
    return entry


async def write_act(unit: Unit, act: journal.Entry, place: tuple[str, str]) -> None:
    """Add an act of the journal as a line of its own; the same act is one line."""
    new = WriteEntry(text=" ", municipality=place[0], trade=place[1])
    held = await unit.execute(
        text("select 1 from logbook.entry where cause = :cause"), {"cause": act.id}
    )
    if held.first() is None:
        await _add(unit, new, kind="act", act=act)


async def correct(unit: Unit, entry: UUID, correction: Correction) -> LogEntry:
    """Write beside an entry, which stands as it was. Raises NotFound, Conflict when it was settled
    already."""
    before = await read_entry(unit, entry)
    if correction.settles and not before.follow_up:
        raise Conflict("nothing_to_settle", "This entry did not ask to be followed up.")
    settled = await unit.execute(
        select(ENTRY.c.id).where(ENTRY.c.of == entry, ENTRY.c.settles).limit(1)
    )
    if correction.settles and settled.first() is not None:
        raise Conflict("settled_already", "Someone has settled this entry already.")
    beside = WriteEntry(
        text=correction.text,
        municipality=before.municipality,
        trade=before.trade,
        compartment=before.compartment,
    )
    written = await _add(
        unit, beside, kind="hand", text_=correction.text.strip(), of=entry,
        settles=correction.settles,
    )  # fmt: skip
    await live.touched(unit, TOPIC, str(entry), _key(before), before.compartment)
    return written


async def hand_over(unit: Unit, shift: UUID, data: ShiftHandOver, version: int | None) -> LogShift:
    """End a shift with a note for the next. Raises Conflict when it is over already."""
    taken = await step(
        unit, rules.SHIFT, SHIFT, shift, "hand_over", version=version, reason=data.note,
        sets={"handed": clock.now(), "handed_by": unit.principal.name, "note": data.note.strip()},
    )  # fmt: skip
    return await _stepped(unit, shift, taken.row["number"], "logbook.handed_over", taken.changed)


async def take(unit: Unit, shift: UUID, version: int | None) -> LogShift:
    """Take what was handed over: the next shift is the caller's. Raises Conflict."""
    taken = await step(unit, rules.SHIFT, SHIFT, shift, "take", version=version)
    after = await _stepped(unit, shift, taken.row["number"], "logbook.taken", taken.changed)
    if taken.changed:
        await _open_shift(unit, after.municipality, after.trade, after.compartment)
    return after


async def read_entry(unit: Unit, entry: UUID) -> LogEntry:
    """One entry. Raises NotFound."""
    row = (await unit.execute(select(ENTRY).where(ENTRY.c.id == entry))).mappings().first()
    if row is None:
        raise NotFound("entry_not_found", f"There is no entry {entry} in the log.")
    return _shown(row, LogEntry)


async def read_shift(unit: Unit, shift: UUID) -> LogShift:
    """One shift. Raises NotFound."""
    row = (await unit.execute(select(SHIFT).where(SHIFT.c.id == shift))).mappings().first()
    if row is None:
        raise NotFound("shift_not_found", f"There is no shift {shift}.")
    return _shown(row, LogShift)


async def entries_of(unit: Unit, shift: UUID) -> list[LogEntry]:
    """A shift's entries in order, at most a thousand."""
    found = select(ENTRY).where(ENTRY.c.shift == shift).order_by(ENTRY.c.number).limit(1000)
    rows = (await unit.execute(found)).mappings()
    return [_shown(row, LogEntry) for row in rows]


async def open_items(unit: Unit) -> list[LogEntry]:
    """What nobody has settled yet in the caller's logs, oldest first."""
    settled = select(ENTRY.c.of).where(ENTRY.c.settles, ENTRY.c.of.is_not(None))
    asked = select(ENTRY).where(ENTRY.c.follow_up, ENTRY.c.id.not_in(settled))
    rows = (await unit.execute(asked.order_by(ENTRY.c.at).limit(_SHOWN))).mappings()
    return rules.still_open(_shown(row, LogEntry) for row in rows)


async def live_rows(unit: Unit, ids: Sequence[str] | None) -> list[live.Row]:
    """What is on the screens: the entries of shifts that are not over, the newest ones."""
    running = select(SHIFT.c.id).where(SHIFT.c.state != "closed")
    found = select(ENTRY).where(ENTRY.c.shift.in_(running))
    if ids is not None:
        found = found.where(ENTRY.c.id.in_([UUID(i) for i in ids]))
    rows = await unit.execute(found.order_by(ENTRY.c.at.desc()).limit(2000))
    entries = [_shown(row, LogEntry) for row in rows.mappings()]
    return [live.Row(str(e.id), _key(e), e, e.compartment) for e in entries]


async def titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    """Entries by one line each."""
    wanted = [UUID(i) for i in ids if len(i) == 36]
    rows = (await unit.execute(select(ENTRY).where(ENTRY.c.id.in_(wanted)))).all()
    return {
        str(row.id): Title(
            row.text[:120] or row.act, f"{row.shift_number}.{row.number}", row.at,
            row.municipality, row.trade, row.compartment,
        )
        for row in rows
    }  # fmt: skip


async def _add(
    unit: Unit,
    new: WriteEntry,
    *,
    kind: str,
    text_: str = "",
    of: UUID | None = None,
    settles: bool = False,
    act: journal.Entry | None = None,
) -> LogEntry:
    if not unit.scope.sees(new.municipality, new.trade, new.compartment):
        raise Forbidden("place_out_of_scope", "You write in the logs of your own scope only.")
    shift = await _open_shift(unit, new.municipality, new.trade, new.compartment)
    last = select(func.coalesce(func.max(ENTRY.c.number), 0)).where(ENTRY.c.shift == shift.id)
    now = clock.now()
    values: dict[str, Any] = {
        "id": uuid7(),
        "shift": shift.id,
        "shift_number": shift.number,
        "number": (await unit.execute(last)).scalar_one() + 1,
        "at": act.occurred if act else new.at or now,
        "recorded": now,
        "author": (act.actor.name or "") if act else unit.principal.name,
        "kind": kind,
        "unit": new.unit.strip(),
        "text": text_,
        "folded": fold(f"{text_} {new.unit}"),
        "act": act.act if act else "",
        "params": act.params if act else {},
        "follow_up": new.follow_up,
        "of": of,
        "settles": settles,
        "municipality": new.municipality,
        "trade": new.trade,
        "compartment": new.compartment,
    }
    await unit.execute(_INSERT, {**values, "params": msgspec.json.encode(values["params"]).decode(),
                                 "cause": act.id if act else None})  # fmt: skip
    entry = _shown(values, LogEntry)
    if act is None:
        await journal.record(
            unit, "logbook.corrected" if of else "logbook.written",
            params={"number": f"{shift.number}.{entry.number}"},
            changes=[Change("logbook.entry", str(entry.id), None, {"kind": kind}, _scope(entry))],
        )  # fmt: skip
        await search.put(
            unit, "logbook.entry", str(entry.id), title=text_[:200],
            subtitle=f"{shift.number}.{entry.number}", words=f"{text_} {entry.unit}", at=entry.at,
            municipality=entry.municipality, trade=entry.trade, compartment=entry.compartment,
        )  # fmt: skip
    await live.touched(unit, TOPIC, str(entry.id), _key(entry), entry.compartment)
    return entry


async def _open_shift(unit: Unit, municipality: str, trade: str, compartment: str) -> LogShift:
    """The open shift of a log, locked; the first entry after a hand-over begins the next one."""
    log = {"municipality": municipality, "trade": trade, "compartment": compartment}
    await unit.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:log, 7710430))"),
        {"log": f"logbook {municipality}/{trade}/{compartment}"},
    )
    same = [SHIFT.c[name] == value for name, value in log.items()]
    found = await unit.execute(select(SHIFT).where(SHIFT.c.state == "open", *same))
    row = found.mappings().first()
    if row is None:
        last = select(func.coalesce(func.max(SHIFT.c.number), 0)).where(*same)
        number = (await unit.execute(last)).scalar_one() + 1
        opened: dict[str, Any] = {
            "id": uuid7(),
            "number": number,
            "state": rules.SHIFT.initial,
            "version": 1,
            **log,
            "opened": clock.now(),
            "opened_by": unit.principal.name,
            "handed_by": "",
            "note": "",
        }
        await unit.execute(SHIFT.insert().values(**opened))
        return await read_shift(unit, opened["id"])
    return _shown(row, LogShift)


async def _stepped(unit: Unit, shift: UUID, number: int, act: str, changed: bool) -> LogShift:
    after = await read_shift(unit, shift)
    if changed:
        await journal.record(
            unit, act, params={"number": number},
            changes=[
                Change("logbook.shift", str(shift), None, {"state": after.state}, _scope(after))
            ],
        )  # fmt: skip
        for entry in await entries_of(unit, shift):
            await live.touched(unit, TOPIC, str(entry.id), _key(entry), entry.compartment)
    return after


def _shown(row: Mapping[Any, Any], kind: type[T]) -> T:
    """A row of a table as the struct that names its columns."""
    return kind(**{name: row[name] for name in kind.__struct_fields__})


def _scope(row: LogEntry | LogShift) -> str:
    return scope_key(row.municipality, row.trade, row.compartment)


def _key(entry: LogEntry) -> str:
    return f"{entry.municipality}/{entry.trade}"


_COLUMNS = [column.name for column in ENTRY.c]
_VALUES = [f"cast(:{n} as jsonb)" if n == "params" else f":{n}" for n in _COLUMNS]
_INSERT = text(
    f"insert into logbook.entry ({', '.join(_COLUMNS)}, cause)"  # noqa: S608 - declared columns
    f" values ({', '.join(_VALUES)}, :cause)"
)
