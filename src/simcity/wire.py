"""MQTT 3.1.1 on the wire, as far as a device speaks it: QoS 1 up, QoS 0 or 1 down.

Written out rather than taken from a library because this is also the bench's load generator:
it shares the machine with what it measures, and spends a few microseconds a message here
where a general client spends seventeen.
"""

import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xD0
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
REFUSALS = {
    1: "protocol version refused",
    2: "client id refused",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorised",
}
_PUBACK_WORD = 0x4002


class WireError(ValueError):
    """The peer sent something that is not MQTT 3.1.1."""


def text(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value


def variable(length: int) -> bytes:
    found = bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        found.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(found)


_PUBLISH_HEADS = tuple(b"\x32" + variable(length) for length in range(2048))


def publish_head(remaining: int) -> bytes:
    """First bytes of a QoS 1 PUBLISH whose topic, packet id and payload take `remaining`."""
    if remaining < 2048:
        return _PUBLISH_HEADS[remaining]
    return b"\x32" + variable(remaining)


def connect(client: str, username: str, password: str, keepalive: int) -> bytes:
    body = (
        text(b"MQTT")
        + b"\x04\xc2"  # level 4; user name, password, clean session
        + struct.pack("!H", keepalive)
        + text(client.encode())
        + text(username.encode())
        + text(password.encode())
    )
    return b"\x10" + variable(len(body)) + body


def subscribe(packet_id: int, topic: str, qos: int) -> bytes:
    body = struct.pack("!H", packet_id) + text(topic.encode()) + bytes([qos])
    return b"\x82" + variable(len(body)) + body


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + struct.pack("!H", packet_id)


def read_publish(head: int, body: bytes) -> tuple[str, bytes, int]:
    """Topic, payload and packet id (0 at QoS 0) of a received PUBLISH."""
    try:
        (size,) = struct.unpack_from("!H", body)
        topic, at, packet_id = body[2 : 2 + size].decode(), 2 + size, 0
        if head & 0x06:
            (packet_id,) = struct.unpack_from("!H", body, at)
            at += 2
    except (struct.error, UnicodeDecodeError) as error:
        raise WireError(f"a PUBLISH that cannot be read: {error}") from None
    return topic, body[at:], packet_id


class Reader:
    """Cuts the byte stream into packets: (first byte, body); runs of PUBACK go a short way."""

    def __init__(self) -> None:
        self._rest = b""

    def acknowledged(self, data: bytes) -> list[int] | None:
        """The packet ids when `data` is PUBACKs and nothing else, None otherwise."""
        if self._rest or len(data) % 4 or data[0] != PUBACK:
            return None
        words = struct.unpack(f"!{len(data) // 2}H", data)
        if words[::2] != (_PUBACK_WORD,) * (len(words) // 2):
            return None
        return list(words[1::2])

    def packets(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        data = self._rest + data
        start, end = 0, len(data)
        while start < end:
            length, shift, at = 0, 0, start + 1
            while at < end:
                digit = data[at]
                length |= (digit & 0x7F) << shift
                at += 1
                shift += 7
                if not digit & 0x80:
                    break
                if shift > 21:
                    raise WireError("a packet length of more than four bytes")
            else:
                break
            if at + length > end:
                break
            yield data[start], data[at : at + length]
            start = at + length
        self._rest = data[start:]
