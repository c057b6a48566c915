"""NMEA sentences: the ones every manual shows, assemblies, and bytes of any kind."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trackers import summed
from vigie.gateways.positions import nmea
from vigie.gateways.positions.model import Malformed

NOON = int(datetime(2026, 3, 23, 12, 36, tzinfo=UTC).timestamp() * 1000)
# The examples of the NMEA 0183 literature.
RMC = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"
GGA = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"
VTG = b"$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K*48"


def test_rmc_alone_is_a_position():
    found = nmea.Assembly().feed(RMC, NOON, "c", "d")
    assert found is not None
    assert (found.lat, found.lon) == (pytest.approx(48.1173), pytest.approx(11.516667))
    assert found.speed_m_s == pytest.approx(22.4 * 1852 / 3600)
    assert (found.heading_deg, found.valid, found.accuracy_m) == (84.4, True, None)
    assert found.at == int(datetime(1994, 3, 23, 12, 35, 19, tzinfo=UTC).timestamp() * 1000)


def test_gga_of_the_same_second_adds_what_it_knows():
    assembly = nmea.Assembly()
    assembly.feed(RMC, NOON, "c", "d")
    assert assembly.feed(GGA, NOON, "c", "d") is None, "the receiver sends RMC"
    found = assembly.feed(RMC, NOON, "c", "d")
    assert found is not None
    assert (found.satellites, found.altitude, found.accuracy_m) == (8, 545.4, 4.5)


def test_a_receiver_without_rmc_has_the_day_it_was_received():
    assembly = nmea.Assembly()
    assembly.feed(VTG, NOON, "c", "d")
    found = assembly.feed(GGA, NOON, "c", "d")
    assert found is not None
    assert found.at == NOON - 41_000
    assert (found.heading_deg, round(found.speed_m_s or 0, 2)) == (54.7, 2.83)
    late = summed("GNGGA,235959,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,")
    midnight = int(datetime(2026, 3, 24, 0, 0, 1, tzinfo=UTC).timestamp() * 1000)
    assert nmea.Assembly().feed(late, midnight, "c", "d").at == midnight - 2_000


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD"])
def test_any_talker(talker):
    line = summed(f"{talker}RMC,123519.25,A,4807.038,S,01131.000,W,,,230326,,")
    found = nmea.Assembly().feed(line, NOON, "c", "d")
    assert found is not None
    assert found.lat == pytest.approx(-48.1173)
    assert (found.speed_m_s, found.heading_deg, found.at % 1000) == (None, None, 250)


def test_no_fix_is_not_valid():
    void = summed("GPRMC,123519,V,,,,,,,230326,,")
    assert nmea.Assembly().feed(void, NOON, "c", "d").valid is False
    nothing = summed("GPGGA,123519,,,,,0,00,,,M,,M,,")
    assert nmea.Assembly().feed(nothing, NOON, "c", "d").valid is False


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (RMC.replace(b"022.4", b"122.4"), "checksum"),
        (b"hello", "not_a_sentence"),
        (b"$GPRMC," + b"1" * 600 + b"*00", "too_large"),
        (b"$GPRMC,\xff*00", "not_ascii"),
        (summed("GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,,003.1,W"), "missing_field"),
        (summed("GPRMC,123519,A,9907.038,N,01131.000,E,022.4,084.4,230326,,"),
         "position_out_of_range"),
        (summed("GPRMC,123519,A,4807.038,N,01131.000,E,fast,084.4,230326,,"), "unreadable"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(line, code):
    with pytest.raises(Malformed) as caught:
        nmea.Assembly().feed(line, NOON, "c", "d")
    assert caught.value.code == code


fields = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*$"),
                 max_size=12)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GPRMC", "GNGGA", "GPVTG", "GPGSV", "PUBX", "XX", ""]),
            st.lists(fields | st.floats().map(str), max_size=16),
        ),
        max_size=4,
    )
)
def test_any_fields_are_read_or_refused(sentences):
    assembly = nmea.Assembly()
    for name, values in sentences:
        try:
            found = assembly.feed(summed(",".join([name, *values])), NOON, "c", "d")
        except Malformed:
            continue
        assert found is None or abs(found.lat) <= 90


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(Malformed):
        nmea.Assembly().feed(data, NOON, "c", "d")
