"""The stream of what adapters accept, beside the broker's own: subjects, lanes, how it is written.

A message of it is a MessagePack list of readings, events and positions of one client. Pure.
"""

from typing import Any

import msgspec

from vigie.gateways.clients import ACCEPTED, clean
from vigie.gateways.ingest.messages import (
    Answers,
    Content,
    Events,
    Measured,
    Message,
    Positions,
    Raw,
    Readings,
    Refusal,
    Source,
    Stamp,
)
from vigie.gateways.ingest.streams import Stream

NAME = "VIGIE_IN"
# Of a device that numbers nothing, so many readings in one message get numbers of their own.
MAX_UNNUMBERED = 32
_EPOCH_S = 1_735_689_600  # 2025-01-01
_DECODER = msgspec.msgpack.Decoder(list[Message])


class Numbered(msgspec.Struct, gc=False):
    """A reading with the number that it keeps for ever."""

    device: str
    boot: int
    n: int
    stamp: Stamp
    values: dict[str, float]


def subject(shard: int, client: str) -> str:
    """Where a client's messages go."""
    return f"in.{shard}.{client}"


def number(raw: Raw, index: int) -> tuple[int, int]:
    """(boot, n) for the `index`-th reading of a device in a message.

    Made of what the stream keeps with the message, so that reading it again gives the same, and
    growing with time: 29 bits of seconds since 2025, 12 of the sequence, 5 of the index. The
    seconds keep it apart from a message that got the same sequence after a power cut.
    """
    seconds = (raw.time_ns // 1_000_000_000 - _EPOCH_S) & 0x1FFF_FFFF
    whole = seconds << 17 | (raw.sequence & 0xFFF) << 5 | index & 0x1F
    return whole >> 31, whole & 0x7FFF_FFFF


class AcceptedFormat:
    """How VIGIE_IN is written."""

    def source(self, subject: bytes) -> Source | None:
        """The client."""
        parts = subject.decode("ascii", "replace").split(".")
        if len(parts) != 3 or parts[0] != "in" or not parts[1].isdecimal():
            return None
        return Source(int(parts[1]), parts[2], "accepted")

    def topic(self, subject: bytes) -> str:
        """As shown: in/0/client."""
        return subject.decode("ascii", "replace").replace(".", "/")

    def subject(self, topic: str) -> bytes:
        """The way back."""
        return topic.replace("/", ".").encode()

    def one(self, data: bytes) -> Measured:
        """Never a single reading."""
        raise msgspec.DecodeError

    def all(self, raw: Raw, source: Source, *, timely: bool) -> Content:
        """Everything, with numbers for what has none."""
        try:
            messages = _DECODER.decode(raw.data)
        except (msgspec.MsgspecError, RecursionError) as error:
            return Content(refusals=[Refusal("unreadable", {"cause": clean(str(error))}, raw.data)])
        readings: list[Measured] = []
        events: list[Events] = []
        positions: list[Positions] = []
        answers: list[Answers] = []
        counts: dict[str, int] = {}
        for message in messages:
            if isinstance(message, Events):
                events.append(message)
            elif isinstance(message, Positions):
                positions.append(message)
            elif isinstance(message, Answers):
                answers.append(message)
            else:
                boot, n = message.boot, message.n
                if boot is None or n is None:
                    index = counts.get(message.device, 0)
                    counts[message.device] = index + 1
                    boot, n = number(raw, index)
                readings.append(Numbered(message.device, boot, n, message.at, message.values))
        return Content(readings, answers, events, positions)

    def piece(self, message: Any) -> bytes:
        """One element as a message; a reading keeps its number."""
        if isinstance(message, Numbered):
            message = Readings(
                "", message.device, message.stamp, message.values, message.boot, message.n
            )
        return msgspec.msgpack.encode([message])


ACCEPTED_STREAM = Stream(
    number=ACCEPTED,
    name=NAME,
    label="accept",
    subjects="in.>",
    filter="in.{shard}.>",
    shards=lambda settings: settings.accept_shards,
    format=AcceptedFormat(),
    duplicates_s=120.0,
)
