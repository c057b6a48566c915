"""What trackers send, written as they write it."""

import struct

from vigie.gateways.positions import teltonika


def avl(records, codec=8):
    """A frame as a device makes it."""
    wide, count = ("B", "B") if codec == 8 else ("H", "H")
    out = bytes([codec, len(records)])
    for ms, lon, lat, altitude, angle, satellites, speed, io in records:
        out += struct.pack(">qBiihHBH", ms, 1, lon, lat, altitude, angle, satellites, speed)
        out += struct.pack(f">{wide}{count}", 0, len(io))
        for size in (1, 2, 4, 8):
            some = [(k, v) for k, (s, v) in io.items() if s == size]
            out += struct.pack(f">{count}", len(some))
            for name, value in some:
                out += struct.pack(f">{wide}", name) + value.to_bytes(size, "big")
        if codec != 8:
            out += struct.pack(">H", 0)
    out += bytes([len(records)])
    return bytes(4) + struct.pack(">I", len(out)) + out + struct.pack(">I", teltonika.crc16(out))


def summed(text: str) -> bytes:
    value = 0
    for byte in text.encode():
        value ^= byte
    return f"${text}*{value:02X}\r\n".encode()
