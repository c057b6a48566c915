"""OsmAnd's parameters: the published template, what apps make of it, and bytes of any kind."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.gateways.positions import osmand
from vigie.gateways.positions.model import Malformed

NOW = 1_795_000_000_000


def decode(query: bytes):
    return osmand.position_of(osmand.decode_query(query), NOW, "c", "d")


def test_the_published_template():
    # The parameters of OsmAnd's manual (trip recording, online tracking), with values of ours.
    query = b"lat=47.3216&lon=5.0415&timestamp=1764345600&hdop=4.5&altitude=245.5&speed=8.3"
    found = decode(query + b"&bearing=271.5&eta=0&etfa=0&eda=0&edfa=0")
    assert (found.lat, found.lon, found.at) == (47.3216, 5.0415, 1_764_345_600_000)
    assert (found.accuracy_m, found.altitude, found.speed_m_s) == (4.5, 245.5, 8.3)
    assert (found.heading_deg, found.valid) == (271.5, True)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1764345600", 1_764_345_600_000),
        ("1764345600123", 1_764_345_600_123),
        ("2025-11-28T16:00:00Z", 1_764_345_600_000),
        ("2025-11-28T17:00:00.5+01:00", 1_764_345_600_500),
        ("", NOW),
    ],
)
def test_times_in_seconds_milliseconds_and_words(text, ms):
    assert osmand.time_of(text, NOW) == ms


def test_knots_are_said_to_be_knots():
    assert decode(b"lat=1&lon=2&speed=10&speed_unit=kn").speed_m_s == pytest.approx(5.144, abs=1e-3)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"lon=5", "missing_field"),
        (b"lat=x&lon=5", "wrong_value"),
        (b"lat=nan&lon=5", "wrong_value"),
        (b"lat=91&lon=5", "position_out_of_range"),
        (b"lat=47&lon=5&timestamp=yesterday", "wrong_value"),
        (b"lat=47&lon=5&timestamp=1e300", "wrong_value"),
        (b"lat=47&lon=5&timestamp=9999-99-99", "wrong_value"),
        (b"&".join(b"a%d=1" % n for n in range(70)), "unreadable"),
        (b"lat=\xff", "unreadable"),
        (b"a" * 20_000, "too_large"),
    ],
)
def test_what_is_wrong_is_named(query, code):
    with pytest.raises(Malformed) as caught:
        decode(query)
    assert caught.value.code == code


def test_the_json_of_location_plug_ins():
    body = {
        "device_id": "van-7", "key": "s",
        "location": {
            "timestamp": "2025-11-28T16:00:00.000Z",
            "coords": {"latitude": 47.32, "longitude": 5.04, "speed": -1, "heading": 90,
                       "accuracy": 6.5, "altitude": 240},
        },
    }  # fmt: skip
    fields = osmand.decode_json(json.dumps(body).encode())
    assert osmand.login_of(fields) == osmand.Login("van-7", "s")
    found = osmand.position_of(fields, NOW, "c", "d")
    assert (found.lat, found.lon, found.speed_m_s, found.heading_deg) == (47.32, 5.04, None, 90)
    assert (found.at, found.accuracy_m) == (1_764_345_600_000, 6.5)
    flat = osmand.decode_json(b'{"id": 7, "lat": 47.32, "lon": 5.04, "valid": false}')
    assert osmand.login_of(flat).id == "7"
    assert osmand.position_of(flat, NOW, "c", "d").valid is False


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for read in (osmand.decode_query, osmand.decode_json):
        try:
            fields = read(data)
            osmand.login_of(fields)
            osmand.position_of(fields, NOW, "c", "d")
        except Malformed:
            pass


@given(
    st.dictionaries(
        st.sampled_from(["lat", "lon", "timestamp", "speed", "bearing", "hdop", "altitude"]),
        st.text(max_size=12) | st.floats().map(str) | st.integers().map(str),
    )
)
def test_any_values_are_read_or_refused(fields):
    try:
        found = osmand.position_of({"lat": "47", "lon": "5"} | fields, NOW, "c", "d")
    except Malformed:
        return
    assert abs(found.lat) <= 90
    assert 0 <= found.at < 10**15


@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 4_000_000_000_000))
def test_what_is_written_is_read_back(lat, lon, ms):
    text = f"lat={lat!r}&lon={lon!r}&timestamp={max(ms, 100_000_000_000)}"
    found = decode(text.encode())
    assert (found.lat, found.lon, found.at) == (lat, lon, max(ms, 100_000_000_000))
