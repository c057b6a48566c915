"""A rota as a calendar that phones and desks can read (iCalendar, RFC 5545)."""

from datetime import datetime
from uuid import UUID

from vigie.core import clock
from vigie.duty.model import RotaShown
from vigie.duty.rota import spans_of


def calendar(rota: RotaShown, member: UUID | None, at: datetime) -> bytes:
    """One event a time in which the same people are on call; of one member: theirs only."""
    # Read by the calendar alone.
    from icalendar import Calendar, Event

    made = Calendar()
    made.add("prodid", "-//Vigie//duty//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", rota.function.name)
    for span, people in spans_of(rota, member):
        event = Event()
        # The same whenever it is read, so that a calendar that reads again shows it once.
        event.add("uid", f"{rota.function.id}-{clock.epoch_ms(span.start)}@vigie")
        event.add("dtstamp", at)
        event.add("dtstart", span.start)
        event.add("dtend", span.end)
        names = ", ".join(one.name or str(one.id) for one in people)
        event.add("summary", f"{rota.function.name}: {names}")
        made.add_component(event)
    return made.to_ical()
