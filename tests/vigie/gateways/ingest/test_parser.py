"""The lean parser: the same frames wherever the stream of bytes is cut."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.gateways.ingest.parser import LeanParser

ACK = b"$JS.ACK.s.c.1.7.3.99.0"
STREAM = (
    b"PING\r\n"
    b"HMSG $MQTT.msgs.up.0.c.reading 7 " + ACK + b" 26 30\r\n"
    b"NATS/1.0\r\nNmqtt-Pub: 1\r\n\r\nab\r\n\r\n"
    b"MSG other 8 2\r\nhi\r\n"
    b"HMSG _INBOX.x 7 30 30\r\nNATS/1.0 408 Timed Out\r\na:\r\n\r\n\r\n"
    b"MSG $MQTT.msgs.up.0.c.ack 7 " + ACK + b" 4\r\nPING\r\n"
    b"+OK\r\n"
)


class Nats:
    """What nats-py's parser calls."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def _process_ping(self) -> None:
        self.seen.append("ping")

    async def _process_msg(self, sid: int, subject: bytes, *rest: Any) -> None:
        self.seen.append((sid, subject, rest[1]))


class Sink:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def message(self, subject: bytes, reply: bytes, data: bytes) -> None:
        self.seen.append((subject, reply, data))

    def status(self, header: bytes) -> None:
        self.seen.append(header[9:12])


@settings(deadline=None)
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=30, unique=True))
def test_cut_anywhere(cuts: list[int]) -> None:
    nats, sink = Nats(), Sink()
    parser = LeanParser(nats)  # type: ignore[arg-type]
    parser.sinks[b"7"] = sink
    edges = [0, *sorted(cuts), len(STREAM)]

    async def feed() -> None:
        for start, stop in pairwise(edges):
            await parser.parse(STREAM[start:stop])

    asyncio.run(feed())
    assert nats.seen == ["ping", (8, b"other", b"hi")]
    assert sink.seen == [
        (b"$MQTT.msgs.up.0.c.reading", ACK, b"ab\r\n"),
        b"408",
        (b"$MQTT.msgs.up.0.c.ack", ACK, b"PING"),
    ]
