"""What a payload says, or why it says nothing."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core import clock
from vigie.gateways.mqtt.messages import (
    _NOT_MQTT,  # pyright: ignore[reportPrivateUsage]
    FUTURE,
    MAX_BATCH,
    MAX_PAYLOAD,
    PAST,
    REASONS,
    Command,
    Source,
    decode_acks,
    decode_readings,
    encode_command,
    parse_subject,
    schema,
)

NOW = datetime(2026, 11, 23, 21, 14, tzinfo=UTC)


def reading(**changes: object) -> bytes:
    whole = {
        "device": "lamp1",
        "boot": 3,
        "n": 118,
        "at": clock.rfc3339(NOW),
        "values": {"dimmingLevel": 40, "activePower": 31.2},
    } | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def test_a_reading_and_a_batch_of_readings() -> None:
    [one], refused = decode_readings(reading(), NOW)
    assert (one.device, one.boot, one.n, one.at) == ("lamp1", 3, 118, NOW)
    assert one.values == {"dimmingLevel": 40.0, "activePower": 31.2}
    assert refused == []
    batch = b"[" + b",".join([reading(n=n) for n in range(MAX_BATCH)]) + b"]"
    readings, refused = decode_readings(batch, NOW)
    assert [one.n for one in readings] == list(range(MAX_BATCH))
    assert refused == []


@pytest.mark.parametrize("at", ["2026-11-23T22:14:00+01:00", int(NOW.timestamp() * 1000)])
def test_a_moment_may_be_told_in_two_ways(at: object) -> None:
    [one], _ = decode_readings(reading(at=at), NOW)
    assert one.at == NOW


def test_a_bad_element_spoils_only_itself() -> None:
    batch = b"[" + reading(n=1) + b"," + reading(n=-1) + b"," + reading(n=2) + b"]"
    readings, [refusal] = decode_readings(batch, NOW)
    assert [one.n for one in readings] == [1, 2]
    assert (refusal.code, refusal.device, refusal.payload) == (
        "wrong_value",
        "lamp1",
        reading(n=-1),
    )


@pytest.mark.parametrize(
    ("offset", "code"),
    [
        (FUTURE, None),
        (FUTURE + timedelta(milliseconds=1), "at_future"),
        (-PAST, None),
        (-PAST - timedelta(milliseconds=1), "at_past"),
    ],
)
@pytest.mark.parametrize("as_number", [False, True])
def test_times_outside_the_limits(offset: timedelta, code: str | None, as_number: bool) -> None:
    at = NOW + offset
    told = clock.epoch_ms(at) if as_number else clock.rfc3339(at)
    for payload in (reading(at=told), b"[" + reading(at=told) + b"]"):
        readings, refused = decode_readings(payload, NOW)
        assert len(readings) == (code is None)
        assert [refusal.code for refusal in refused] == ([code] if code else [])


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b" " * (MAX_PAYLOAD + 1), "too_large"),
        (b"[]", "batch_empty"),
        (b"[" + b",".join([reading()] * (MAX_BATCH + 1)) + b"]", "batch_too_long"),
        (b"\xff\xfe", "not_utf8"),
        (reading()[:-1] + b',"x":"\xff"}', "not_utf8"),
        (reading(values={"dimmingLevel": float("nan")}), "not_json"),
        (b"not json", "not_json"),
        (reading() + b"x", "not_json"),
        (reading()[:-1] + b',"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "too_deep"),
        (reading(device=...), "missing_field"),
        (reading(values=...), "missing_field"),
        (reading(boot="3"), "wrong_type"),
        (reading(boot=True), "wrong_type"),
        (reading(boot=1.5), "wrong_type"),
        (reading(values=[1]), "wrong_type"),
        (reading(values={"dimmingLevel": "40"}), "wrong_type"),
        (reading(values={"lampFailure": True}), "wrong_type"),
        (b"null", "wrong_type"),
        (b"3", "wrong_type"),
        (reading(boot=32768), "wrong_value"),
        (reading(n=2**31), "wrong_value"),
        (reading(n=2**70), "wrong_value"),
        (reading(values={}), "wrong_value"),
        (reading(values={"x" * 65: 1}), "wrong_value"),
        (reading(device="a b"), "wrong_value"),
        (reading(device="'; drop table twin.asset; --"), "wrong_value"),
        (reading(at="2026-11-23T21:14:00"), "wrong_value"),
        (reading(at="yesterday"), "wrong_value"),
        (reading(values={"a": 1}).replace(b'"a": 1', b'"a": 1e999'), "wrong_value"),
        (reading(at="2100-01-01T00:00:00Z"), "at_future"),
        (reading(at=2**80), "at_future"),
        (reading(at=-(2**80)), "at_past"),
    ],
)
def test_why_a_reading_is_refused(payload: bytes, code: str) -> None:
    readings, [refusal] = decode_readings(payload, NOW)
    assert list(readings) == []
    assert refusal.code == code
    msgspec.json.encode(refusal.params)


def test_an_acknowledgement() -> None:
    ack = {
        "id": "01943f2e-7b7a-7c3a-9d0e-5a2f6c1b0a99",
        "device": "lamp1",
        "at": clock.epoch_ms(NOW),
        "status": "refused",
        "code": "interlock",
        "detail": "door open",
    }
    [one], refused = decode_acks(json.dumps(ack).encode(), NOW)
    assert (str(one.id), one.status, one.code, refused) == (ack["id"], "refused", "interlock", [])
    for change, code in (
        ({"status": "perhaps"}, "wrong_value"),
        ({"id": "1"}, "wrong_value"),
        ({"detail": "x" * 201}, "wrong_value"),
        ({"code": "<script>"}, "wrong_value"),
    ):
        _, [refusal] = decode_acks(json.dumps(ack | change).encode(), NOW)
        assert refusal.code == code


def test_a_command_is_written_as_documented() -> None:
    command = Command(
        msgspec.convert("01943f2e-7b7a-7c3a-9d0e-5a2f6c1b0a99", type=__import__("uuid").UUID),
        "lamp1",
        "set_dimming_level",
        {"level": 40},
        NOW,
        NOW + timedelta(minutes=1),
    )
    assert json.loads(encode_command(command)) == {
        "id": "01943f2e-7b7a-7c3a-9d0e-5a2f6c1b0a99",
        "device": "lamp1",
        "verb": "set_dimming_level",
        "params": {"level": 40},
        "issued_at": "2026-11-23T21:14:00Z",
        "expires_at": "2026-11-23T21:15:00Z",
    }


def test_subjects() -> None:
    assert parse_subject("$MQTT.msgs.up.1.g7K2.reading") == Source(1, "g7K2", "reading")
    assert parse_subject("up.0.g7K2.ack") == Source(0, "g7K2", "ack")
    for other in ("up.x.g.reading", "up.0.g.other", "up.0.reading", "down.g.d.command", ""):
        assert parse_subject(other) is None


def test_the_schema_names_every_reason_and_topic() -> None:
    told = schema()
    assert set(told["refusals"]) == set(REASONS) - _NOT_MQTT
    assert set(told["$defs"]) == {"Reading", "Ack", "Command"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["device", "boot", "n", "at", "values", "id", "status"])
            | st.text(max_size=8),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_raises_and_nothing_vanishes(payload: bytes) -> None:
    for decode in (decode_readings, decode_acks):
        taken, refused = decode(payload, NOW)
        assert len(taken) + len(refused) >= 1
        assert all(refusal.code in REASONS for refusal in refused)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (reading(values={"dimmingLevel": 41, "activePower": "31.2"}), "values.activePower"),
        (reading(values={"dimmingLevel": None, "activePower": 31.2}), "values.dimmingLevel"),
        (reading(values={"a": 1, "lampFailure": True, "b": False}), "values.lampFailure"),
        (reading(values={"a": 1, "b": {"value": 3}}), "values.b"),
        (reading(values={"a": 1, "b": [2]}), "values.b"),
        (reading(values={"": 1, "b": 2}), "values."),
        (b"[" + reading() + b"," + reading(values={"a": 1, "c": "x"}) + b"]", "values.c"),
    ],
)
def test_the_faulty_metric_is_named(payload: bytes, field: str) -> None:
    _, refusals = decode_readings(payload, NOW)
    assert [refusal.params["field"] for refusal in refusals] == [field]


def test_a_metric_name_from_outside_is_cleaned_and_cut() -> None:
    _, refusals = decode_readings(reading(values={"\u202e" + "x" * 60: "1"}), NOW)
    field = refusals[0].params["field"]
    assert field.startswith("values.")
    assert "\u202e" not in field
    _, refusals = decode_readings(reading(values={"x" * 50_000: 1}), NOW)
    assert len(refusals[0].params["field"]) < 100
