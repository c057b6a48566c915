"""Teltonika's protocol over TCP: the login by IMEI, and AVL data in codecs 8, 8 Extended and 16.
Pure; what it says is read from `Frames`, which keeps what has not all arrived.

    → 000F 333536333037303432343431303133     length and IMEI           ← 01 accepted, 00 refused
    → 00000000 | length | codec, n, records, n | CRC                    ← n, when they are stored

Everything is big-endian; the CRC is CRC-16/IBM over codec to second n. Published at
https://wiki.teltonika-gps.com/view/Codec.
"""

import struct
from collections.abc import Iterator

import msgspec

from vigie.gateways.ingest import Events, Positions
from vigie.gateways.positions.model import Malformed, Message

ACCEPTED, REFUSED = b"\x01", b"\x00"
MOST_BYTES = 8_192
"""Devices send 1,280 bytes at most; some gateways join a few of them."""
CODEC_8, CODEC_8E, CODEC_16 = 0x08, 0x8E, 0x10
PANIC = 2
_E7 = 10_000_000
_GPS = struct.Struct(">qBiihHBH")


class Record(msgspec.Struct, frozen=True):
    """One AVL record; `io` holds the values of the numbered inputs (those of variable length as
    bytes), `event` which of them caused it."""

    ms: int
    priority: int
    lon: float
    lat: float
    altitude: int
    angle: int
    satellites: int
    speed_km_h: int
    event: int
    io: dict[int, int | bytes]


class _Reader:
    """Bytes in order. Raises Malformed at their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise Malformed("truncated", "The AVL data ends within a record.")
        self._at += size
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    @property
    def left(self) -> int:
        return len(self._data) - self._at


def crc16(data: bytes) -> int:
    """CRC-16/IBM: polynomial 0x8005 from the low end, starting at 0."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def _table() -> tuple[int, ...]:
    rows: list[int] = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        rows.append(crc)
    return tuple(rows)


_CRC = _table()


def read_login(data: bytes) -> tuple[str, int] | None:
    """The IMEI at the beginning of a connection, and how many bytes it took; None when more must
    arrive. Raises Malformed."""
    if len(data) < 2:
        return None
    size = int.from_bytes(data[:2], "big")
    if not 10 <= size <= 17:
        raise Malformed("not_a_login", "A connection begins with the length of an IMEI, 15.")
    imei = data[2 : 2 + size]
    if not all(0x30 <= byte <= 0x39 for byte in imei):
        raise Malformed("not_a_login", "An IMEI has digits only.")
    return (imei.decode("ascii"), 2 + size) if len(imei) == size else None


class Frames:
    """Cuts a stream into AVL data, CRC checked."""

    def __init__(self) -> None:
        self._data = b""

    @property
    def waiting(self) -> int:
        """Bytes of a frame that has not all arrived."""
        return len(self._data)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The AVL data of each frame that is whole now. Raises Malformed; the connection cannot
        go on then, since nobody knows where the next frame begins."""
        self._data += data
        while True:
            # A single FF is a sign of life.
            self._data = self._data.lstrip(b"\xff")
            if len(self._data) < 8:
                if any(self._data[:4]):
                    raise Malformed("no_preamble", "A frame begins with four zeros.")
                return
            if any(self._data[:4]):
                raise Malformed("no_preamble", "A frame begins with four zeros.")
            size = int.from_bytes(self._data[4:8], "big")
            if not 3 <= size <= MOST_BYTES:
                raise Malformed("too_large", f"A frame has 3 to {MOST_BYTES} bytes.")
            whole = 8 + size + 4
            if len(self._data) < whole:
                return
            body = self._data[8 : 8 + size]
            told = int.from_bytes(self._data[8 + size : whole], "big")
            self._data = self._data[whole:]
            if crc16(body) != told:
                raise Malformed("crc", "The CRC of a frame is wrong.")
            yield body


def decode(body: bytes) -> list[Record] | None:
    """The records of a frame; None for a codec that carries none (12 to 14: answers to orders).
    Raises Malformed."""
    reader = _Reader(body)
    codec, count = reader.number(1), reader.number(1)
    if codec in (12, 13, 14, 15):
        return None
    if codec not in (CODEC_8, CODEC_8E, CODEC_16):
        raise Malformed("unknown_codec", f"Codec {codec} is not read here.")
    records = [_record(reader, codec) for _ in range(count)]
    if reader.number(1) != count or reader.left:
        raise Malformed("count", "The frame does not hold the number of records it says.")
    return records


def _record(reader: _Reader, codec: int) -> Record:
    ms, priority, lon, lat, altitude, angle, satellites, speed = _GPS.unpack(reader.take(_GPS.size))
    wide = 1 if codec == CODEC_8 else 2
    counts = 2 if codec == CODEC_8E else 1
    event = reader.number(wide)
    if codec == CODEC_16:
        reader.take(1)  # what generated it
    total = reader.number(counts)
    io: dict[int, int | bytes] = {}
    seen = 0
    for size in (1, 2, 4, 8):
        for _ in range(reader.number(counts)):
            name = reader.number(wide)
            io[name] = reader.number(size)
            seen += 1
    if codec == CODEC_8E:
        for _ in range(reader.number(2)):
            name = reader.number(2)
            io[name] = reader.take(reader.number(2))
            seen += 1
    if seen != total:
        raise Malformed("count", "A record does not hold the number of values it says.")
    return Record(ms, priority, lon / _E7, lat / _E7, altitude, angle, satellites, speed, event, io)


def messages(records: list[Record], client: str, device: str) -> list[Message]:
    """What the records say: where the device was, and that somebody pressed the alarm button
    (records of priority 2). Without satellites there is no fix, whatever the coordinates say."""
    found: list[Message] = []
    for record in records:
        fix = record.satellites > 0 and abs(record.lat) <= 90 and abs(record.lon) <= 180
        found.append(
            Positions(
                client, device, record.ms, record.lon, record.lat, float(record.altitude),
                record.speed_km_h / 3.6, float(record.angle % 360), None, record.satellites, fix,
            )
        )  # fmt: skip
        if record.priority == PANIC:
            found.append(Events(client, device, record.ms, "emergency", {}, f"io{record.event}"))
    return found
