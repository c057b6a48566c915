"""The log over HTTP."""

from typing import Any, Literal
from uuid import UUID

from litestar import Response

from vigie import files, places
from vigie.core.database import Unit
from vigie.core.filters import Choice, Fields, Number, Text, Time, contains
from vigie.core.lists import Listing
from vigie.core.states import version
from vigie.core.web import IfMatch, Tagged, get, post
from vigie.logbook import service
from vigie.logbook.model import (
    ENTRY,
    SHIFT,
    Correction,
    LogEntry,
    LogShift,
    ShiftHandOver,
    WriteEntry,
)

ENTRIES = Listing(
    "logbook.entries",
    ENTRY,
    row=LogEntry,
    fields=Fields(
        Number("shift", ENTRY.c.shift_number, whole=True),
        Choice("kind", ENTRY.c.kind, ("hand", "act", "unit")),
        Text("author", ENTRY.c.author),
        Text("municipality", ENTRY.c.municipality),
        Text("trade", ENTRY.c.trade),
        Time("at", ENTRY.c.at),
        words=lambda word: ENTRY.c.folded.like(contains(word)),
    ),
    sorts={"at": ENTRY.c.at, "shift": ENTRY.c.shift_number, "number": ENTRY.c.number},
    default="-at",
    key=ENTRY.c.id,
    scope=(ENTRY.c.municipality, ENTRY.c.trade),
)
SHIFTS = Listing(
    "logbook.shifts",
    SHIFT,
    row=LogShift,
    fields=Fields(
        Number("number", SHIFT.c.number, whole=True),
        Choice("state", SHIFT.c.state, ("open", "handed", "closed")),
        Time("opened", SHIFT.c.opened),
    ),
    sorts={"opened": SHIFT.c.opened, "number": SHIFT.c.number},
    default="-opened",
    key=SHIFT.c.id,
    scope=(SHIFT.c.municipality, SHIFT.c.trade),
)
SHEET = files.Template("vigie.logbook", "handover")
_TITLES = {"fr": "Relève", "en": "Hand-over"}


@post("/logbook/entries", permission="logbook.write", status=201)
async def write_entry(unit: Unit, data: WriteEntry) -> LogEntry:
    """Add an entry to the log of the shift."""
    return await service.write(unit, data)


@get("/logbook/entries/{entry_id:uuid}", permission="logbook.read")
async def read_entry(unit: Unit, entry_id: UUID) -> LogEntry:
    """One entry."""
    return await service.read_entry(unit, entry_id)


@get("/logbook/open", permission="logbook.read")
async def list_open(unit: Unit) -> list[LogEntry]:
    """What was to be followed up and is not settled, oldest first."""
    return await service.open_items(unit)


@post("/logbook/entries/{entry_id:uuid}/corrections", permission="logbook.write", status=201)
async def correct_entry(unit: Unit, entry_id: UUID, data: Correction) -> LogEntry:
    """Write beside an entry, or settle what it asked for; the entry stands."""
    return await service.correct(unit, entry_id, data)


@get("/logbook/shifts/{shift_id:uuid}", permission="logbook.read")
async def read_shift(unit: Unit, shift_id: UUID) -> Tagged[LogShift]:
    """One shift."""
    shift = await service.read_shift(unit, shift_id)
    return Tagged(shift, str(shift.version))


@post("/logbook/shifts/{shift_id:uuid}/hand-over", permission="logbook.hand_over")
async def hand_over(
    unit: Unit, shift_id: UUID, data: ShiftHandOver, if_match: IfMatch = None
) -> Tagged[LogShift]:
    """End a shift with a note for the next one."""
    shift = await service.hand_over(unit, shift_id, data, version(if_match))
    return Tagged(shift, str(shift.version))


@post("/logbook/shifts/{shift_id:uuid}/take", permission="logbook.hand_over")
async def take_shift(unit: Unit, shift_id: UUID, if_match: IfMatch = None) -> Tagged[LogShift]:
    """Take what was handed over: the next shift begins."""
    shift = await service.take(unit, shift_id, version(if_match))
    return Tagged(shift, str(shift.version))


@get("/logbook/shifts/{shift_id:uuid}/sheet.pdf", permission="logbook.read")
async def print_shift(
    unit: Unit, shift_id: UUID, lang: Literal["fr", "en"] = "fr"
) -> Response[bytes]:
    """A shift's log, its note and what is open, as a PDF to sign."""
    shift = await service.read_shift(unit, shift_id)
    zone = await unit.zone()
    waiting = await service.open_items(unit)

    def line(entry: LogEntry) -> dict[str, Any]:
        local = entry.at.astimezone(zone)
        return {
            "number": f"{entry.shift_number}.{entry.number}",
            "at": local.strftime("%d/%m %H:%M" if lang == "fr" else "%d %b %H:%M"),
            "author": entry.unit or entry.author,
            "text": entry.text or entry.act,
        }

    data = {
        "by": shift.handed_by or shift.opened_by,
        "note": shift.note,
        "open": [line(entry) for entry in waiting],
        "entries": [line(entry) for entry in await service.entries_of(unit, shift.id)],
    }
    city = (await places.read_territory(unit)).name
    heading = files.Heading(f"{_TITLES[lang]} {shift.number}", city=city)
    body = await files.pdf.render(SHEET, data, lang, heading=heading)
    name = f'inline; filename="logbook-{shift.number}.pdf"'
    return Response(body, media_type="application/pdf", headers={"Content-Disposition": name})


ROUTES = [
    *ENTRIES.routes("/logbook/entries", permission="logbook.read"),
    *SHIFTS.routes("/logbook/shifts", permission="logbook.read"),
    write_entry,
    read_entry,
    list_open,
    correct_entry,
    read_shift,
    hand_over,
    take_shift,
    print_shift,
]
