"""What the room keeps about a person, for them to have and to have erased."""

from typing import Any

from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.journal import Change

_WHO = "('user:' || m.account = :subject or 'duty:' || m.id = :subject)"
# ruff: noqa: S608


async def export(unit: Unit, subject: str) -> dict[str, Any]:
    """Teams, absences and hand-overs of "user:<account>" or "duty:<member>"."""
    memberships = await unit.execute(
        text(
            "select m.id, t.name as team, m.name, m.phone, m.created, m.left_at,"
            " (select jsonb_agg(jsonb_build_array(a.starts, a.ends)) from duty.absence a"
            "  where a.member = m.id) as absences"
            f" from duty.member m join duty.team t on t.id = m.team where {_WHO}"
            " order by m.created"
        ),
        {"subject": subject},
    )
    handed = await unit.execute(
        text(
            "select h.at, f.name as function, h.note, h.giver = m.id as gave"
            " from duty.hand_over h join duty.function f on f.id = h.function"
            f" join duty.member m on m.id in (h.giver, h.taker) where {_WHO} order by h.at"
        ),
        {"subject": subject},
    )
    return {
        "memberships": [dict(row) for row in memberships.mappings()],
        "hand_overs": [dict(row) for row in handed.mappings()],
    }


async def erase(unit: Unit, subject: str) -> int:
    """Forget name, number, account, absences and notes, and take the person out of the rotas; how
    many memberships that were. That someone was on call stays, nobody can tell who."""
    found = await unit.execute(
        text(
            "update duty.member m set account = null, name = '', phone = '',"
            " left_at = coalesce(m.left_at, vigie.now())"
            " from duty.team t where t.id = m.team"
            f" and {_WHO} returning m.id, t.id, t.municipality || '/' || t.trade"
        ),
        {"subject": subject},
    )
    gone = [tuple(row) for row in found]
    if not gone:
        return 0
    ids = {"ids": [member for member, _, _ in gone]}
    await unit.execute(text("delete from duty.absence where member = any(:ids)"), ids)
    noted = await unit.execute(
        text(
            "update duty.hand_over set note = ''"
            " where (giver = any(:ids) or taker = any(:ids)) and note <> '' returning entry"
        ),
        ids,
    )
    for entry in noted.scalars().all():
        await journal.erase_personal(unit, entry=entry, fields=["reason"])
    await journal.record(
        unit,
        "duty.person_erased",
        params={"count": len(gone)},
        changes=[
            Change("duty.team", str(team), {"member": str(member)}, {"erased": str(member)}, place)
            for member, team, place in gone
        ],
    )
    for member, _, _ in gone:
        await journal.erase_personal(unit, subject=f"duty:{member}")
    return len(gone)
