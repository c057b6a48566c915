"""Decisions without I/O: faults, commands, the plan of reports, the wire, boot numbers."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcity import wire
from simcity.clock import LAST_BOOT, next_boot
from simcity.commands import Command, Fate, Memory, Outcome, join, outcome_of, seconds
from simcity.faults import Fault, fault_of
from simcity.plan import due, make_plan
from simcity.provisioning import ProvisioningError, read_part, read_provisioning

rates = st.floats(0, 1)
names = st.text(max_size=12)


# --- faults


@given(st.integers(0, 9), rates, rates, names)
def test_a_higher_rate_only_adds_faults(seed: int, a: float, b: float, name: str) -> None:
    low, high = (fault_of(seed, rate, name) for rate in sorted((a, b)))
    assert low in (Fault.NONE, high)


def test_the_share_at_fault_is_the_rate_and_every_fault_occurs() -> None:
    found = [fault_of(7, 0.1, f"lamp {i}") for i in range(5000)]
    assert 0.08 < sum(f != Fault.NONE for f in found) / 5000 < 0.12
    assert set(found) == set(Fault)
    assert all(fault_of(7, 0.0, f"lamp {i}") == Fault.NONE for i in range(1000))


# --- commands


def command(level: object = 40, verb: str = "set_dimming_level") -> Command:
    return Command("c", "d", verb, {"level": level})


@pytest.mark.parametrize("level", [-1, 101, "40", None, True, float("nan")])
def test_a_level_out_of_reason_is_refused(level: object) -> None:
    assert outcome_of(command(level), "Streetlight", Fault.NONE).code == "out_of_range"


def test_outcomes() -> None:
    assert outcome_of(command(), "Streetlight", Fault.NONE) == Outcome("done", None, 40.0)
    assert outcome_of(command(verb="fly"), "Streetlight", Fault.NONE).code == "unsupported"
    assert outcome_of(command(), "StreetlightControlCabinet", Fault.NONE).code == "unsupported"


def test_the_fate_of_copies() -> None:
    memory = Memory(limit=2)

    def fate(now: float = 0, fault: Fault = Fault.NONE, id_: str = "a") -> Fate:
        return memory.fate(id_, 1, 10.0, now, fault)

    assert fate() == Fate.NEW
    assert fate(fault=Fault.SILENT) == Fate.UNHEARD
    memory.begin("a", 1)
    assert fate() == Fate.PENDING
    memory.finish("a", 1, Outcome("done", None, 40.0))
    assert fate() == Fate.REPEATED
    assert fate(now=10.0) == Fate.EXPIRED
    for other in "bc":
        memory.begin(other, 1)
    assert fate() == Fate.NEW  # forgotten, the memory being full


def test_times_are_read_in_both_forms() -> None:
    moment = dt.datetime(2026, 11, 23, 21, 14, tzinfo=dt.UTC).timestamp()
    assert seconds("2026-11-23T21:14:00Z") == seconds(moment * 1000) == moment
    assert seconds(None) is None


def test_one_answer_is_an_object_several_are_an_array() -> None:
    assert join([b"{}"]) == b"{}"
    assert join([b"{}", b"{}"]) == b"[{},{}]"


# --- plan


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=80),
    st.integers(0, 7),
    st.integers(1, 5),
)
def test_each_device_reports_once_a_round_through_its_gateway(
    sites: list[int], batch: int, burst: int
) -> None:
    plan = make_plan(sites, batch, burst)
    assert sorted(plan.order.tolist()) == list(range(len(sites)))
    assert plan.bounds[-1] == len(sites)
    for slot, site in enumerate(plan.gateway):
        members = plan.order[plan.bounds[slot] : plan.bounds[slot + 1]].tolist()
        assert 1 <= len(members) <= max(batch, 1)
        assert {sites[device] for device in members} == {site}


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0.1, 60), st.integers(1, 500))
def test_punctual_or_not_slots_go_in_order_and_a_round_at_most_is_made_up(
    pauses: list[float], interval: float, slots: int
) -> None:
    elapsed, done = 0.0, 0
    for pause in pauses:
        elapsed += pause
        first, to = due(done, elapsed, interval, slots)
        assert done <= first <= to
        assert to - first <= max(slots, 2 / interval * slots)
        if pause <= min(interval, 2.0) * 0.9:
            assert first == done
        done = to
    assert done == int(elapsed / interval * slots)


# --- wire

packets = st.lists(
    st.tuples(st.sampled_from([0x20, 0x30, 0x40, 0x90, 0xD0]), st.binary(max_size=300)), max_size=8
)


@given(packets, st.lists(st.integers(1, 400), max_size=10))
def test_packets_survive_any_cutting_of_the_stream(
    sent: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(bytes([head]) + wire.variable(len(body)) + body for head, body in sent)
    reader, got, start = wire.Reader(), [], 0
    for cut in [*cuts, len(stream)]:
        got += reader.packets(stream[start : start + cut])
        start += cut
    assert got == sent


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_runs_of_puback_go_the_short_way(ids: list[int]) -> None:
    reader = wire.Reader()
    assert reader.acknowledged(b"".join(wire.puback(i) for i in ids)) == ids
    assert reader.acknowledged(wire.puback(1)[:3]) is None
    assert reader.acknowledged(wire.puback(1) + b"\xd0\x00\x00\x00") is None


@given(st.text(max_size=20), st.binary(max_size=3000), st.integers(1, 65535))
def test_a_publish_reads_as_written(topic: str, payload: bytes, packet_id: int) -> None:
    name = wire.text(topic.encode())
    body = name + packet_id.to_bytes(2, "big") + payload
    whole = wire.publish_head(len(body)) + body
    ((head, got),) = wire.Reader().packets(whole)
    assert wire.read_publish(head, got) == (topic, payload, packet_id)


@pytest.mark.parametrize("stream", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\xff\xff"])
def test_an_endless_length_is_an_error(stream: bytes) -> None:
    with pytest.raises(wire.WireError):
        list(wire.Reader().packets(stream))


# --- boots and files


def test_boot_numbers_never_repeat(tmp_path: Path) -> None:
    file = tmp_path / "boot"
    assert [next_boot(file) for _ in range(3)] == [0, 1, 2]
    assert next_boot(file, at_least=10) == 10
    file.write_text(str(LAST_BOOT))
    assert next_boot(file) == 0


@pytest.mark.parametrize("text", ["2/2", "-1/2", "one", "1", "0/0"])
def test_a_wrong_slice_is_named(text: str) -> None:
    with pytest.raises(ProvisioningError, match="--slice"):
        read_part(text)


@pytest.mark.parametrize(
    "content", [None, "no", "{}", '{"mqtt":{"host":"h","port":1},"gateways":[]}']
)
def test_a_wrong_provisioning_file_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "provisioning.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ProvisioningError, match="provisioning"):
        read_provisioning(file)
