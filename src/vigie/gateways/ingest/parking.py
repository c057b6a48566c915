"""Fair between clients: what one sends above its share waits beside the lane, not in it.

A lane is a queue: without this, a client that floods it delays all others by the time that its
messages take to store. They were acknowledged, so they are kept: as they came, a few hundred a row,
which costs a fraction of storing them, and stored for good when the lane has caught up. Judged by
the broker's times, so a backlog of an outage, in which everyone sent at their own pace, goes
straight on. Readings that come late change nothing newer.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.gateways.clients import LANE_BURST_S, Allowance, Meter
from vigie.gateways.ingest.messages import Raw, Source

# What waited longer than this in the stream says nothing of how its client sends now.
_RECENT_S = 10.0
_ROW_MESSAGES = 500
_ROW_BYTES = 128_000
# (time, subject, payload) of rows that were there before the sequence was kept as well.
_DECODER = msgspec.msgpack.Decoder(list[tuple[Any, ...]])
_PUT = text(
    """
    insert into gateways.parked (lane, client, messages, size, content)
    select :lane, p.client, p.messages, p.size, p.content
    from unnest(cast(:clients as text[]), cast(:messages as int[]), cast(:sizes as int[]),
     cast(:contents as bytea[])) with ordinality as p(client, messages, size, content, o)
    order by p.o
    """
)
# The client with the least waiting goes first: a short burst does not wait behind a long flood.
_NEXT = text(
    """
    select k.id, k.content from gateways.parked k
    join (
     select client, sum(size) as size from gateways.parked where lane = :lane group by client
    ) whole on whole.client = k.client
    where k.lane = :lane
    order by whole.size, k.id limit 1
    """
)


class Parked(msgspec.Struct, frozen=True):
    """Some messages that waited."""

    id: int
    messages: list[Raw]


class Sorter:
    """Tells the messages that go on at once from those that wait."""

    def __init__(self, allowance: Allowance, source: Callable[[bytes], Source | None]) -> None:
        # What went on at once, and all that was sent.
        self._passed = Meter(allowance)
        self._sent = Meter(allowance)
        self._clients: dict[bytes, str] = {}
        self._allowance = allowance
        self._source = source

    def sort(self, batch: Sequence[Raw]) -> tuple[Sequence[Raw], dict[str, list[Raw]]]:
        """The batch without what waits, and what waits of each client."""
        sums: dict[bytes, list[int]] = {}
        for raw in batch:
            found = sums.get(raw.subject)
            if found is None:
                sums[raw.subject] = [1, len(raw.data)]
            else:
                found[0] += 1
                found[1] += len(raw.data)
        began_s = batch[0].time_ns / 1e9
        loud: set[str] = set()
        for subject, (messages, size) in sums.items():
            client = self._client(subject)
            self._sent.charge(client, began_s, messages, size)
            # Nobody can be over within the batch who would not be if all came at its beginning.
            if self._fits(client, began_s, messages, size):
                self._passed.charge(client, began_s, messages, size)
            else:
                loud.add(client)
        if not loud:
            return batch, {}
        waits: dict[str, list[Raw]] = {}
        passes: list[Raw] = []
        for raw in batch:
            client = self._client(raw.subject)
            if client in loud:
                at_s = raw.time_ns / 1e9
                if not self._fits(client, at_s, 1, len(raw.data)):
                    waits.setdefault(client, []).append(raw)
                    continue
                self._passed.charge(client, at_s, 1, len(raw.data))
            passes.append(raw)
        return passes, waits

    def _fits(self, client: str, at_s: float, messages: int, size: int) -> bool:
        cost_s = self._allowance.cost_s(messages, size)
        return self._passed.ahead_s(client, at_s) + cost_s <= LANE_BURST_S

    def loud(self, waits: dict[str, list[Raw]], now_s: float) -> dict[str, float]:
        """Of whom something waits that was sent just now: how far ahead of its rate each is."""
        return {
            client: self._sent.ahead_s(client, now_s)
            for client, raws in waits.items()
            if now_s - raws[-1].time_ns / 1e9 < _RECENT_S
        }

    def _client(self, subject: bytes) -> str:
        client = self._clients.get(subject)
        if client is None:
            source = self._source(subject)
            client = source.client if source else ""
            if len(self._clients) > 100_000:
                self._clients.clear()
            self._clients[subject] = client
        return client


async def park(unit: Unit, lane: int, waits: dict[str, list[Raw]]) -> int:
    """Keep messages for later, in the caller's transaction; how many rows that made."""
    clients: list[str] = []
    counts: list[int] = []
    sizes: list[int] = []
    contents: list[bytes] = []

    def add(client: str, messages: list[Raw], size: int) -> None:
        clients.append(client)
        counts.append(len(messages))
        sizes.append(size)
        contents.append(content_of(messages))

    for client, raws in waits.items():
        row: list[Raw] = []
        size = 0
        for raw in raws:
            if row and (len(row) >= _ROW_MESSAGES or size + len(raw.data) > _ROW_BYTES):
                add(client, row, size)
                row, size = [], 0
            row.append(raw)
            size += len(raw.data)
        add(client, row, size)
    await unit.execute(
        _PUT,
        {
            "lane": lane,
            "clients": clients,
            "messages": counts,
            "sizes": sizes,
            "contents": contents,
        },
    )
    return len(clients)


async def parked_rows(unit: Unit, lane: int) -> int:
    """How many rows wait for this lane."""
    rows = await unit.execute(
        text("select count(*) from gateways.parked where lane = :lane"), {"lane": lane}
    )
    return int(rows.scalar_one())


async def next_parked(unit: Unit, lane: int, subject_of: Callable[[str], bytes]) -> Parked | None:
    """What waited and is due next. Its messages have no place in the stream any more."""
    row = (await unit.execute(_NEXT, {"lane": lane})).one_or_none()
    if row is None:
        return None
    messages = [
        Raw(
            sequence[0] if sequence else 0,
            time_ns,
            # A message that a person had read again is addressed by its topic.
            subject_of(subject.decode()) if b"/" in subject else subject,
            data,
            0,
        )
        for time_ns, subject, data, *sequence in _DECODER.decode(bytes(row.content))
    ]
    return Parked(row.id, messages)


def content_of(messages: Sequence[Raw]) -> bytes:
    """Messages as `gateways.parked` keeps them."""
    return msgspec.msgpack.encode(
        [(raw.time_ns, raw.subject, raw.data, raw.sequence) for raw in messages]
    )


async def unpark(unit: Unit, row: int) -> None:
    """These messages are stored, in the caller's transaction."""
    await unit.execute(text("delete from gateways.parked where id = :id"), {"id": row})
