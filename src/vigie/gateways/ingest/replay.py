"""Sends messages of quarantine through validation again, once the cause is mended.

They go where messages wait that came too fast: beside their lane, under their own time of receipt.
Its one writer stores them, or puts them in quarantine again with what is wrong now, in the
transaction that takes them from there: each goes through exactly once.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.errors import Invalid
from vigie.core.settings import LANES_A_STREAM
from vigie.gateways.ingest.messages import Raw
from vigie.gateways.ingest.parking import park

MOST = 1_000
WAKE = "ingest"
_CHOSEN = text(
    """
    select q.id, q.received, q.source, q.topic, q.payload, q.size, q.municipality, q.trade,
     c.stream * :lanes + c.shard as lane
    from gateways.quarantine q
    join gateways.client c on c.token = q.source and c.revoked is null
    where q.replayed is null
     and (q.id = any(:ids) or (q.source = :source and q.code = :code))
    order by q.id
    limit :most
    for update of q
    """
)


class Replayed(msgspec.Struct, frozen=True):
    """What was sent again; `cut` could not be, for only the beginning of it is kept."""

    sent: int
    cut: int


async def replay(
    unit: Unit,
    *,
    ids: Sequence[int] = (),
    source: str = "",
    code: str = "",
    reason: str | None = None,
) -> Replayed:
    """Read messages again: those named, or the oldest of a source that were refused for one reason.

    At most a thousand; what was sent again before, or is out of sight, is left out. Raises Invalid
    when neither, or too many, are named.
    """
    if len(ids) > MOST or bool(ids) == bool(source and code):
        raise Invalid(
            "replay_wrong",
            f"Name up to {MOST} messages of quarantine, or a source and a code; not both.",
            {"most": MOST},
        )
    rows = (
        await unit.execute(
            _CHOSEN,
            {"lanes": LANES_A_STREAM, "ids": list(ids), "source": source, "code": code,
             "most": MOST},
        )
    ).all()  # fmt: skip
    whole = [row for row in rows if len(row.payload) == row.size]
    lanes: dict[int, dict[str, list[Raw]]] = {}
    for row in whole:
        # Addressed by its topic: the lane knows how its stream writes that.
        raw = Raw(0, int(row.received.timestamp() * 1e6) * 1000, row.topic.encode(),
                  bytes(row.payload), 0)  # fmt: skip
        lanes.setdefault(row.lane, {}).setdefault(row.source, []).append(raw)
    for lane, waits in lanes.items():
        await park(unit, lane, waits)
    await unit.execute(
        text("update gateways.quarantine set replayed = now() where id = any(:ids)"),
        {"ids": [row.id for row in whole]},
    )
    if whole:
        await journal.record(
            unit,
            "gateways.replayed",
            params={"messages": len(whole), "clients": sorted({row.source for row in whole})[:20]},
            scopes=sorted({f"{row.municipality}/{row.trade}" for row in whole}),
            reason=reason,
        )
        unit.wake(WAKE)
    return Replayed(len(whole), len(rows) - len(whole))
