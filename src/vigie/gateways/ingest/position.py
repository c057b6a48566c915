"""How far a lane is stored, and who may move it: fenced by epoch, moved in the storing transaction.

One process leads a lane at a time. Its epoch is in the lane's row, and each transaction advances
that row: a leader that was frozen and wakes up commits nothing.
"""

from sqlalchemy import RowMapping, text

from vigie.core.database import Unit
from vigie.core.errors import Conflict
from vigie.core.logs import logger
from vigie.gateways.ingest.lane import StreamFacts

log = logger(__name__)

_CLAIM = text(
    """
    insert into twin.ingest (lane, epoch) values (:lane, :epoch)
    on conflict (lane) do update set epoch = excluded.epoch
     where twin.ingest.epoch < excluded.epoch
    returning broker, stream, position, commits,
     greatest(0, extract(epoch from now() - committed)) as behind_s
    """
)
_ADVANCE = text(
    """
    update twin.ingest set position = :position, broker = :broker, stream = :stream,
     commits = commits + 1, committed = now()
    where lane = :lane and epoch = :epoch and commits = :commits
    """
)


class Position:
    """The committed position of one lane, as its leader knows it."""

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._epoch = 0
        self._broker = ""
        self._stream = ""
        self.commits = 0
        self.committed = 0

    async def claim(self, unit: Unit, epoch: int, facts: StreamFacts) -> float:
        """Take the lane over from whoever had it; the seconds since its last commit."""
        claimed = await unit.execute(_CLAIM, {"lane": self._lane, "epoch": epoch})
        row = claimed.mappings().one_or_none()
        if row is None:
            raise _lost(self._lane)
        self._epoch = epoch
        self.commits = row["commits"]
        self._broker, self._stream = facts.broker, facts.created
        self.committed = self._resume(int(row["position"]), row, facts)
        return float(row["behind_s"] or 0)

    def _resume(self, position: int, row: RowMapping, facts: StreamFacts) -> int:
        """Where to go on: after the committed position, or at the beginning of what is there."""
        if position == 0:
            return 0
        if row["stream"] != facts.created:
            log.error(
                "stream_replaced", lane=self._lane, position=position, was=row["stream"],
                now=facts.created,
            )  # fmt: skip
            return 0
        if row["broker"] != facts.broker:
            # Another life of the broker: a power cut may have taken its last messages, and their
            # numbers given to new ones. What is still there is read again; what is stored already
            # is known by (device, boot, n).
            if facts.last < position:
                log.error(
                    "stream_lost_its_end", lane=self._lane, position=position, last=facts.last
                )
            return 0
        return position

    async def advance(self, unit: Unit, sequence: int) -> None:
        """Move the position, never back; fail when another process leads the lane now. True once
        the unit commits."""
        position = max(self.committed, sequence)
        done = await unit.execute(
            _ADVANCE,
            {
                "position": position,
                "broker": self._broker,
                "stream": self._stream,
                "lane": self._lane,
                "epoch": self._epoch,
                "commits": self.commits,
            },
        )
        if done.rowcount != 1:
            raise _lost(self._lane)

        def moved() -> None:
            self.committed = position
            self.commits += 1

        unit.after_commit(moved)


def _lost(lane: int) -> Conflict:
    return Conflict("leadership_lost", f"Another process leads lane {lane} now.")
