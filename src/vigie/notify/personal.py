"""What the room keeps about a person, for them to have and to have erased."""

from typing import Any

from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.journal import Change

_WHO = "(c.account::text = :account or c.id::text = :contact)"
# ruff: noqa: S608


async def export(unit: Unit, subject: str) -> dict[str, Any]:
    """Addresses, preferences and messages of "user:<id>" or "contact:<id>"."""
    who = _who(subject)
    contacts = await unit.execute(
        text(
            "select c.id, c.name, c.language, c.mail, c.phone, c.quiet_from, c.quiet_to, c.created,"
            " (select jsonb_object_agg(kind, channel) from notify.preference p"
            "  where p.contact = c.id) as channels,"
            " (select jsonb_agg(endpoint) from notify.subscription s where s.contact = c.id)"
            f" as push from notify.contact c where {_WHO}"
        ),
        who,
    )
    messages = await unit.execute(
        text(
            "select m.id, m.template, m.channel, m.subject, m.body, m.state, m.created, m.sent"
            f" from notify.message m join notify.contact c on c.id = m.contact where {_WHO}"
            " order by m.created"
        ),
        who,
    )
    return {
        "contacts": [dict(row) for row in contacts.mappings()],
        "messages": [dict(row) for row in messages.mappings()],
    }


async def erase(unit: Unit, subject: str) -> int:
    """Forget addresses, preferences, browsers and messages; how many people that were. Names in
    the journal are erased there."""
    found = await unit.execute(
        text(f"delete from notify.contact c where {_WHO} returning c.id"), _who(subject)
    )
    gone = [str(contact) for contact in found.scalars()]
    for contact in gone:
        await journal.erase_personal(unit, subject=f"contact:{contact}")
    if gone:
        await journal.record(
            unit,
            "notify.person_erased",
            changes=[Change("notify.contact", contact, {}, None) for contact in gone],
        )
    return len(gone)


def _who(subject: str) -> dict[str, str | None]:
    kind, _, key = subject.partition(":")
    return {
        "account": key if kind == "user" else None,
        "contact": key if kind == "contact" else None,
    }
