"""TETRA Location Information Protocol: the short location report (ETSI TS 100 392-18-1, 6.2.1).
Pure.

    bits  2 PDU type 00 | 2 time elapsed | 25 longitude | 24 latitude | 3 position error
          7 horizontal velocity | 4 direction of travel | 1 type of additional data | 8 that data

76 bits, sent in 10 bytes; the last four bits mean nothing.
"""

import msgspec

from vigie.gateways.positions.model import Malformed

BITS = 76
BYTES = 10
_WITHIN_M = (2.0, 20.0, 200.0, 2_000.0, 20_000.0, 200_000.0, None, None)
"""How far off the position may be; None: more, or not known."""
_ELAPSED_S = (5.0, 300.0, 1_800.0, None)
"""The fix is at most so old; None: not known."""
_UNKNOWN_SPEED = 127


class ShortReport(msgspec.Struct, frozen=True):
    """Where a radio is. `reason` is why it says so (0 power on, 2 emergency, 32 a time interval,
    …), None when the byte holds data of the user's own: then it is `user`."""

    lon: float
    lat: float
    age_s: float | None
    accuracy_m: float | None
    speed_m_s: float | None
    heading_deg: float
    reason: int | None
    user: int | None

    @property
    def fresh(self) -> bool:
        """False for a fix of up to half an hour ago: that is no position of now."""
        return self.age_s is None or self.age_s <= 300


def decode(pdu: bytes) -> ShortReport:
    """Read a short location report. Raises Malformed for anything else."""
    if len(pdu) != BYTES:
        raise Malformed("wrong_length", f"A short location report has {BYTES} bytes.")
    value = int.from_bytes(pdu, "big") >> BYTES * 8 - BITS
    left = BITS

    def take(bits: int) -> int:
        nonlocal left
        left -= bits
        return value >> left & (1 << bits) - 1

    if take(2) != 0:
        raise Malformed("not_a_short_report", "The PDU is no short location report.")
    age = _ELAPSED_S[take(2)]
    lon = _signed(take(25), 25) * 180 / (1 << 24)
    lat = _signed(take(24), 24) * 90 / (1 << 23)
    accuracy = _WITHIN_M[take(3)]
    speed = _speed(take(7))
    heading = take(4) * 22.5
    own, data = take(1), take(8)
    return ShortReport(
        lon, lat, age, accuracy, speed, heading, None if own else data, data if own else None
    )


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _speed(value: int) -> float | None:
    """0 to 28 are km/h; above, each step is 3.8% more (6.3.17); 127 is not known."""
    if value == _UNKNOWN_SPEED:
        return None
    km_h = float(value) if value <= 28 else 16 * 1.038 ** (value - 13)
    return km_h / 3.6
