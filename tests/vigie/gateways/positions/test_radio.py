"""Radios: lines of JSON, TETRA's short location report, and bytes of any kind."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.gateways.positions import lip, radio
from vigie.gateways.positions.model import Events, Malformed, Positions

NOW = 1_795_000_000_000
LINE = r"^→ (?P<line>\{.*?\}) +← (?P<answer>\{.*\})$"


def written(lon, lat, elapsed=0, error=1, speed=0, direction=0, own=0, data=0):
    """A short location report, bit by bit."""
    bits = 0
    for value, size in (
        (0, 2), (elapsed, 2), (lon & (1 << 25) - 1, 25), (lat & (1 << 24) - 1, 24), (error, 3),
        (speed, 7), (direction, 4), (own, 1), (data, 8),
    ):  # fmt: skip
        bits = bits << size | value
    return (bits << 4).to_bytes(10, "big")


def read(**line):
    return radio.messages(radio.decode(json.dumps(line).encode()), NOW, "c")


def test_coordinates_that_a_decoder_of_others_shows():
    # 0x0CE6C98 and 0xCA1959: longitude 145.142012, latitude -37.899131 (Melbourne).
    report = lip.decode(written(0x0CE6C98, 0xCA1959))
    assert report.lon == pytest.approx(145.142012, abs=1e-6)
    assert report.lat == pytest.approx(-37.899131, abs=1e-6)


@pytest.mark.parametrize(
    ("code", "km_h"), [(0, 0), (28, 28), (29, 29.06), (50, 63.6), (126, 1083), (127, None)]
)
def test_speeds(code, km_h):
    speed = lip.decode(written(0, 0, speed=code)).speed_m_s
    assert speed == (None if km_h is None else pytest.approx(km_h / 3.6, rel=0.005))


@given(
    st.integers(-(2**24), 2**24 - 1), st.integers(-(2**23), 2**23 - 1), st.integers(0, 3),
    st.integers(0, 7), st.integers(0, 127), st.integers(0, 15), st.integers(0, 1),
    st.integers(0, 255),
)  # fmt: skip
def test_what_is_written_is_read_back(lon, lat, elapsed, error, speed, direction, own, data):
    report = lip.decode(written(lon, lat, elapsed, error, speed, direction, own, data))
    assert round(report.lon * 2**24 / 180) == lon
    assert round(report.lat * 2**23 / 90) == lat
    assert report.heading_deg == direction * 22.5
    assert (report.user if own else report.reason) == data
    assert (report.age_s is None) == (elapsed == 3)


@given(st.binary(max_size=12))
def test_any_bytes_are_a_report_or_refused(data):
    try:
        report = lip.decode(data)
    except Malformed:
        return
    assert abs(report.lat) <= 90
    assert abs(report.lon) <= 180


def test_each_line_is_what_it_says():
    assert read(type="position", radio="7", n=3, at=5, lat=47.3, lon=5.0, speed=2) == [
        Positions("c", "7", 5, 5.0, 47.3, None, 2.0)
    ]
    assert read(type="status", radio="7", n=4, code=12) == [
        Events("c", "7", NOW, "status", {"code": 12}, "4")
    ]
    assert read(type="text", radio="7", text="On scene", at="2025-11-28T17:00:00+01:00") == [
        Events("c", "7", 1_764_345_600_000, "text", {"text": "On scene"})
    ]
    assert read(type="talk_group", radio="7", group=10201)[0].fields == {"talkGroup": 10201}
    assert read(type="emergency", radio="7", on=False)[0].name == "emergency_ended"


def test_a_short_report_in_a_line():
    pdu = written(int(5.04 / 180 * 2**24), int(47.32 / 90 * 2**23), speed=20, data=2).hex()
    position, pressed = read(type="lip", radio="7", n=9, pdu=pdu)
    assert position.lat == pytest.approx(47.32, abs=1e-4)
    assert (pressed.name, pressed.fields, pressed.id) == ("emergency", {}, "9")
    old = read(type="lip", radio="7", pdu=written(1, 1, elapsed=2, data=32).hex())
    assert [m.valid for m in old] == [False], "a fix of half an hour ago"


@pytest.mark.parametrize(
    "line",
    [
        {"type": "position", "radio": "7", "lat": 91, "lon": 5},
        {"type": "status", "radio": "7", "code": "x"},
        {"type": "unheard_of", "radio": "7"},
        {"radio": "7"},
        {"type": "text", "radio": "", "text": "x"},
        {"type": "text", "radio": "7", "text": "x" * 501},
        {"type": "text", "radio": "7", "text": "x", "at": "2025-11-28T17:00:00"},
        {"type": "lip", "radio": "7", "pdu": "00"},
        {"type": "lip", "radio": "7", "pdu": "F" * 20},
        {"type": "text", "radio": "7", "text": "x", "at": 10**15},
    ],
)
def test_what_is_wrong_is_refused(line):
    with pytest.raises(Malformed):
        read(**line)


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes_are_read_or_refused(data):
    radio.number_of(data)
    for read_ in (radio.decode_login, lambda line: radio.messages(radio.decode(line), NOW, "c")):
        with contextlib.suppress(Malformed):
            read_(data)


def test_a_deep_or_long_line_is_refused():
    for data in (b"[" * 5000, b'{"type":"text","radio":"7","text":"' + b"x" * 9000 + b'"}'):
        with pytest.raises(Malformed):
            radio.decode(data)


def test_the_lines_of_the_documentation_are_what_they_say():
    guide = (Path(__file__).parents[4] / "docs" / "trackers.md").read_text(encoding="utf-8")
    shown = [
        (json.loads(found["line"]), json.loads(found["answer"].replace(", …", "")))
        for found in re.finditer(
            r"^→ (?P<line>\{.*?\}) +← (?P<answer>\{.*\})$", guide, re.MULTILINE
        )
    ]
    assert len(shown) == 5
    for line, answer in shown:
        written_ = json.dumps(line).encode()
        if "login" in line:
            radio.decode_login(written_)
        elif "error" in answer:
            with pytest.raises(Malformed) as caught:
                radio.decode(written_)
            assert (caught.value.code, line["n"]) == (answer["error"], answer["n"])
        else:
            assert radio.messages(radio.decode(written_), NOW, "c")
            assert answer == {"ack": line["n"]}
