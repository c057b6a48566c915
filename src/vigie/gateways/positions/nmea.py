"""NMEA 0183 sentences of a receiver, put together to positions. Pure.

Any talker (GP, GN, GL, GA …). RMC carries date, position, speed and course; GGA satellites, quality
and altitude; VTG speed and course. A receiver that never sends RMC is read by its GGA, whose date
is then the day on which it was received.
"""

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pynmea2

from vigie.gateways.ingest import Positions
from vigie.gateways.positions.model import Malformed

MOST_BYTES = 512
"""A sentence has 82 characters; receivers of today go somewhat over that."""
_KNOT = 1852 / 3600
_METRES_A_DOP = 5.0
"""What a receiver of today is off by, for each unit of HDOP."""


class Assembly:
    """The sentences of one receiver, as they arrive."""

    def __init__(self) -> None:
        self._rmc_seen = False
        self._gga: Any = None
        self._vtg: Any = None

    def feed(self, line: bytes, received_ms: int, client: str, device: str) -> Positions | None:
        """A position, when this sentence completes one. Raises Malformed."""
        sentence = parse(line)
        kind = sentence.sentence_type
        # The library reads fields when they are asked for, and fails on them in its own ways.
        try:
            if kind == "RMC":
                self._rmc_seen = True
                return self._from_rmc(sentence, client, device)
            if kind == "GGA":
                self._gga = sentence
                if not self._rmc_seen:
                    return self._from_gga(sentence, received_ms, client, device)
            elif kind == "VTG":
                self._vtg = sentence
        except Malformed:
            raise
        except Exception as error:
            raise Malformed("unreadable", f"A field of {kind} cannot be read.") from error
        return None

    def _from_rmc(self, rmc: Any, client: str, device: str) -> Positions:
        if not isinstance(rmc.datestamp, date) or not isinstance(rmc.timestamp, time):
            raise Malformed("missing_field", "RMC has no date or no time.")
        at = datetime.combine(rmc.datestamp, rmc.timestamp.replace(tzinfo=UTC))
        same = self._gga if self._gga is not None and self._gga.timestamp == rmc.timestamp else None
        speed, heading = self._motion(_number(rmc.spd_over_grnd), _number(rmc.true_course))
        return _position(rmc, at, client, device, speed, heading, same, rmc.status == "A")

    def _from_gga(self, gga: Any, received_ms: int, client: str, device: str) -> Positions:
        if not isinstance(gga.timestamp, time):
            raise Malformed("missing_field", "GGA has no time.")
        received = datetime.fromtimestamp(received_ms / 1000, UTC)
        at = datetime.combine(received.date(), gga.timestamp.replace(tzinfo=UTC))
        # Around midnight: the day that brings it nearest to when it was received.
        if at - received > timedelta(hours=12):
            at -= timedelta(days=1)
        elif received - at > timedelta(hours=12):
            at += timedelta(days=1)
        speed, heading = self._motion(None, None)
        return _position(gga, at, client, device, speed, heading, gga, True)

    def _motion(
        self, knots: float | None, course: float | None
    ) -> tuple[float | None, float | None]:
        if self._vtg is not None:
            knots = _number(self._vtg.spd_over_grnd_kts) if knots is None else knots
            course = _number(self._vtg.true_track) if course is None else course
        return None if knots is None else knots * _KNOT, course


def parse(line: bytes) -> Any:
    """One sentence, its checksum checked. Raises Malformed."""
    if len(line) > MOST_BYTES:
        raise Malformed("too_large", f"A sentence has {MOST_BYTES} bytes at most.")
    try:
        text = line.decode("ascii").strip()
    except UnicodeDecodeError:
        raise Malformed("not_ascii", "A sentence is ASCII.") from None
    if not text.startswith("$") or "*" not in text:
        raise Malformed("not_a_sentence", "A sentence is $…*checksum.")
    try:
        sentence: Any = pynmea2.parse(text, check=True)
    except pynmea2.ChecksumError:
        raise Malformed("checksum", "The checksum of a sentence is wrong.") from None
    except Exception as error:
        raise Malformed("unreadable", "A sentence cannot be read.") from error
    if not isinstance(sentence, pynmea2.TalkerSentence):
        raise Malformed("not_a_sentence", "A sentence of no talker.")
    return sentence


def _position(
    sentence: Any,
    at: datetime,
    client: str,
    device: str,
    speed: float | None,
    heading: float | None,
    gga: Any,
    valid: bool,
) -> Positions:
    lat, lon = float(sentence.latitude), float(sentence.longitude)
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise Malformed("position_out_of_range", "The coordinates are no place on earth.")
    valid = valid and bool(sentence.lat) and bool(sentence.lon)
    altitude = accuracy = satellites = None
    if gga is not None:
        valid = valid and gga.gps_qual not in (0, None)
        altitude = _number(gga.altitude)
        dop, count = _number(gga.horizontal_dil), _number(gga.num_sats)
        accuracy = None if dop is None else dop * _METRES_A_DOP
        satellites = None if count is None or not 0 <= count <= 999 else int(count)
    return Positions(
        client, device, round(at.timestamp() * 1000), lon, lat, altitude, speed, heading, accuracy,
        satellites, valid,
    )  # fmt: skip


def _number(value: Any) -> float | None:
    """A field as a number; None where it is empty. Raises ValueError."""
    if value is None or value == "":
        return None
    number = float(value)
    if not math.isfinite(number) or abs(number) > 1e9:
        raise ValueError(value)
    return number
