"""Teltonika's frames: those that its maker published, and bytes of any kind."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trackers import avl
from vigie.gateways.positions import teltonika
from vigie.gateways.positions.model import Malformed

SHARED = Path(__file__).resolve().parents[5] / "shared" / "conformance"
PUBLISHED = SHARED / "trackers/teltonika/teltonika-wiki-frames.json"
# From https://wiki.teltonika-gps.com/view/Codec: the login, codec 8 (example 1), codec 8 Extended.
LOGIN = "000F333536333037303432343431303133"
CODEC_8 = (
    "000000000000003608010000016B40D8EA30010000000000000000000000000000000105021503010101425E0F"
    "01F10000601A014E0000000000000000010000C7CF"
)
CODEC_8E = (
    "000000000000004A8E010000016B412CEE000100000000000000000000000000000000010005000100010100010"
    "011001D00010010015E2C880002000B000000003544C87A000E000000001DD7E06A00000100002994"
)


def body(frame: str) -> bytes:
    (found,) = teltonika.Frames().feed(bytes.fromhex(frame))
    return found


def test_the_login_arrives_in_pieces():
    data = bytes.fromhex(LOGIN)
    for size in range(len(data)):
        assert teltonika.read_login(data[:size]) is None
    assert teltonika.read_login(data + b"\x00") == ("356307042441013", 17)


@pytest.mark.parametrize("data", [b"\x00\x02ab", b"\xff\xff", b"\x00\x0f12345678901234x"])
def test_what_is_no_login_is_refused(data):
    with pytest.raises(Malformed, match="IMEI"):
        teltonika.read_login(data)


def test_codec_8_as_published():
    (record,) = teltonika.decode(body(CODEC_8)) or []
    assert (record.ms, record.priority, record.event) == (1_560_161_086_000, 1, 1)
    assert record.io == {21: 3, 1: 1, 66: 24079, 241: 24602, 78: 0}
    (position,) = teltonika.messages([record], "c", "d")
    assert position.valid is False, "no satellites"


def test_codec_8_extended_as_published():
    (record,) = teltonika.decode(body(CODEC_8E)) or []
    assert record.ms == 1_560_166_592_000
    assert record.io == {1: 1, 17: 29, 16: 22949000, 11: 893700218, 14: 500686954}


def test_every_published_frame():
    if not PUBLISHED.exists():
        pytest.skip("the published frames are not here")
    seen = 0
    for frame in json.loads(PUBLISHED.read_text()):
        if frame["transport"] != "tcp" or frame["decoded"].get("imei_length"):
            continue
        data = bytes.fromhex(frame["hex"])
        if frame["published_inconsistency"]:
            with pytest.raises(Malformed):
                list(teltonika.Frames().feed(data + bytes(16)))
            continue
        (found,) = teltonika.Frames().feed(data)
        records = teltonika.decode(found)
        told = frame["decoded"]
        if told["codec_id"] not in (8, 142, 16):
            assert records is None
            continue
        assert records is not None
        assert int(frame["server_answer_hex"], 16) == len(records)
        for record, wanted in zip(records, told["records"], strict=True):
            assert (record.ms, record.priority) == (wanted["timestamp_ms"], wanted["priority"])
            assert record.io == {int(k): v["value"] for k, v in wanted["io"].items()}
        seen += 1
    assert seen == 5


record = st.tuples(
    st.integers(0, 2**42), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1),
    st.integers(-500, 9000), st.integers(0, 65535), st.integers(0, 40), st.integers(0, 400),
    st.dictionaries(
        st.integers(0, 255), st.sampled_from([1, 2, 4, 8]).flatmap(
            lambda size: st.tuples(st.just(size), st.integers(0, 256**size - 1))
        ), max_size=5,
    ),
)  # fmt: skip


@given(st.lists(record, max_size=6), st.sampled_from([8, 0x8E]), st.integers(1, 40))
def test_what_is_written_is_read_back_however_it_is_cut(records, codec, piece):
    data = b"\xff" + avl(records, codec) + b"\xff" + avl(records[:1], codec)
    frames, bodies = teltonika.Frames(), []
    for start in range(0, len(data), piece):
        bodies += frames.feed(data[start : start + piece])
    assert len(bodies) == 2
    found = teltonika.decode(bodies[0]) or []
    assert [
        (r.ms, round(r.lon * 1e7), round(r.lat * 1e7), r.altitude, r.angle, r.satellites,
         r.speed_km_h, r.io) for r in found
    ] == [(*r[:7], {k: v for k, (_, v) in r[7].items()}) for r in records]  # fmt: skip
    for message in teltonika.messages(found, "c", "d"):
        if message.valid:
            assert abs(message.lat) <= 90


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    for feed in (data, bytes(4) + len(data).to_bytes(4, "big") + data + bytes(4)):
        with contextlib.suppress(Malformed):
            teltonika.read_login(feed)
        try:
            for found in teltonika.Frames().feed(feed):
                teltonika.decode(found)
        except Malformed:
            pass
    for codec in (8, 0x8E, 0x10):
        with contextlib.suppress(Malformed):
            teltonika.decode(bytes([codec]) + data)


def test_a_frame_never_holds_more_than_its_limit():
    frames = teltonika.Frames()
    with pytest.raises(Malformed, match="bytes"):
        list(frames.feed(bytes(4) + b"\x7f\xff\xff\xff"))
